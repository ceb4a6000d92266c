//! Processes of the lab: their start and their end.
//!
//! The machines' processes are started from one thread that lives as long as the lab's process.
//!
//! The kernel's parent-death signal follows the *thread* that forked. Started from a test's thread, a machine would be killed
//! when that thread ends, though the lab may have been handed on.

use std::io;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

type Order = (Command, Sender<io::Result<Child>>);

/// Starts the command; the child may ask for a signal at the end of this whole process.
pub(crate) fn spawn_for_life(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<Sender<Order>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, inbox) = channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, reply) in inbox {
                let _ = reply.send(command.spawn());
            }
        });
        orders
    });
    let (reply, result) = channel();
    let gone = || io::Error::other("the starting thread is gone");
    spawner.send((command, reply)).map_err(|_| gone())?;
    result.recv().map_err(|_| gone())?
}

/// Waits for the end of a process, anyone's. False if it has not ended in time.
pub(crate) fn ends_within(pid: u32, patience: Duration) -> bool {
    let pidfd = Pid::from_raw(pid.cast_signed()).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    // No descriptor: it has ended already.
    let Some(pidfd) = pidfd else { return true };
    let timeout = Timespec::try_from(patience).ok();
    poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], timeout.as_ref()).is_ok_and(|ready| ready == 1)
}
