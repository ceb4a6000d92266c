//! Dying on purpose, so that tests can sweep every moment at which a crash may come.
//!
//! Every journaled step has two moments: right before it is carried out, and right after, in both cases before the ledger
//! hears of its end. They are counted from 0 over the life of the process, so that `2N` is before the N-th step and
//! `2N+1` behind it; undoing a step is a step too, and the steps on single links lie between the two moments of the
//! network's. With `LANDBRIDGE_KILL_AT=M` in the environment the process kills itself at moment M, with SIGKILL. Without
//! the variable nothing happens.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

static KILL_AT: LazyLock<Option<u64>> =
    LazyLock::new(|| std::env::var("LANDBRIDGE_KILL_AT").ok().and_then(|at| at.parse().ok()));
static POINTS: AtomicU64 = AtomicU64::new(0);

/// A moment at which a crash may be wished for: before a step, and after it.
pub fn point() {
    if *KILL_AT == Some(POINTS.fetch_add(1, Ordering::Relaxed)) {
        let _ = nix::sys::signal::kill(nix::unistd::getpid(), nix::sys::signal::SIGKILL);
        std::thread::park();
    }
}
