//! Programs that give way: what a join can wait for least is its queue, and a machine may have one processor, or jobs already.

use rustix::process::{Pid, setpriority_process};

/// A tenth of the processor against a program of the usual kind, sched(7): seldom noticed on a machine that has nothing else to do.
const NICE: i32 = 10;

/// Lets everybody else go first. A program that has ended already, or of which nobody knows, needs it no more.
pub(crate) fn give_way(pid: Option<u32>) {
    if let Some(pid) = pid.and_then(|pid| Pid::from_raw(pid.cast_signed())) {
        let _ = setpriority_process(Some(pid), NICE);
    }
}
