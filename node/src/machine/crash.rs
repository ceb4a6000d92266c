//! Dying on purpose, so that tests can sweep every moment at which a crash may come.
//!
//! Every journaled step has two moments: right before it is carried out, and right after, in both cases before the ledger
//! hears of its end. They are counted from 0 over the life of the process, so that `2N` is before the N-th step and
//! `2N+1` behind it; undoing a step is a step too, and the steps on single links lie between the two moments of the
//! network's. With `LANDBRIDGE_KILL_AT=M` in the environment the process kills itself at moment M, with SIGKILL. Without
//! the variable nothing happens.
//!
//! What remembers its steps elsewhere has a moment behind each of them: the front-end's daemon, for whatever it writes to its
//! store, its authority, the tunnel's directories and the queue; `landbridge-node`, for its identity and its other documents. The
//! daemon has a variable of its own ([`DAEMON`]), because the one who
//! starts it may be asked to die as well.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The variable of every program but the daemon.
pub const PROGRAM: &str = "LANDBRIDGE_KILL_AT";
/// The daemon's variable, which `landbridge up` hands on.
pub const DAEMON: &str = "LANDBRIDGE_DAEMON_KILL_AT";

static KILL_AT: OnceLock<Option<u64>> = OnceLock::new();
static POINTS: AtomicU64 = AtomicU64::new(0);

/// The daemon's first words: its own variable counts.
pub fn heed_daemon() {
    KILL_AT.get_or_init(|| asked_by(DAEMON));
}

/// A moment at which a crash may be wished for: before a step, and after it.
pub fn point() {
    if *KILL_AT.get_or_init(|| asked_by(PROGRAM)) == Some(POINTS.fetch_add(1, Ordering::Relaxed)) {
        let _ = nix::sys::signal::kill(nix::unistd::getpid(), nix::sys::signal::SIGKILL);
        std::thread::park();
    }
}

fn asked_by(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|at| at.parse().ok())
}
