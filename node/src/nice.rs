//! Programs that give way: what a join can wait for least is its queue, and a machine may have one processor, or jobs already.

use std::fs;

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

/// Lets whoever runs go on when this process, or one that it begins, is woken (`SCHED_BATCH`, sched(7)). For one that has no threads
/// yet: each has a policy of its own.
pub(crate) fn as_batch(pid: i32) {
    schedule(pid, libc::SCHED_BATCH);
}

/// Schedules all threads that this process has now as those of others.
pub(crate) fn as_usual(pid: i32) {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let ids = threads.filter_map(|thread| thread.file_name().to_str()?.parse().ok());
    ids.for_each(|id| schedule(id, libc::SCHED_OTHER));
}

/// Where it is forbidden, the thread goes on as it was: only speed hangs on it. Unsafe, since the libraries that we use have no safe
/// function for it.
#[allow(unsafe_code)]
fn schedule(thread: i32, policy: i32) {
    let none = libc::sched_param { sched_priority: 0 };
    // SAFETY: it reads the one structure, which lives until it returns.
    let _ = unsafe { libc::sched_setscheduler(thread, policy, &raw const none) };
}
