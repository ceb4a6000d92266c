//! Programs that give way: what a join can wait for least is its queue, and a machine may have one processor, or jobs already.

use nix::libc;
use rustix::process::{Pid, setpriority_process};

/// A tenth of the processor against a program of the usual kind, sched(7): seldom noticed on a machine that has nothing else to do.
const NICE: i32 = 10;

/// Lets everybody else go first. A program that has ended already, or of which nobody knows, needs it no more.
pub(crate) fn give_way(pid: Option<u32>) {
    if let Some(pid) = pid.and_then(|pid| Pid::from_raw(pid.cast_signed())) {
        let _ = setpriority_process(Some(pid), NICE);
    }
}

/// Lets whoever runs go on when this process, or one that it begins, is woken (`SCHED_BATCH`, sched(7)); where that is forbidden,
/// they interrupt. One of the two unsafe calls of this crate, since the libraries that we use have no safe one for it.
#[allow(unsafe_code)]
pub(crate) fn interrupt_nobody(pid: i32) {
    let none = libc::sched_param { sched_priority: 0 };
    // SAFETY: it reads the one structure, which lives until it returns.
    unsafe { libc::sched_setscheduler(pid, libc::SCHED_BATCH, &raw const none) };
}
