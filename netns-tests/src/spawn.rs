//! Starts the machines' processes from one thread that lives as long as the lab's process.
//!
//! The kernel's parent-death signal follows the *thread* that forked. Started from a test's thread, a machine would be killed
//! when that thread ends, though the lab may have been handed on.

use std::io;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};

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
