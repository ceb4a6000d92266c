//! Dying on purpose, so that tests can sweep every moment at which a crash may come.
//!
//! With `LANDBRIDGE_KILL_AT=2N` in the environment the process kills itself (SIGKILL, as the kernel would) right before
//! the N-th journaled step that it carries out, with `2N+1` right after it, in both cases before the ledger hears of it.
//! Steps are counted from 0 over the life of the process; undoing one is a step too. Without the variable nothing happens.

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
