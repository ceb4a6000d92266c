//! A program and all that it has started.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::Child;

/// A program that leads a process group of its own, and its children, as long as it has not ended by itself. Dropped before, it
/// ends them all.
#[derive(Debug)]
pub struct Family(Option<Pid>);

impl Family {
    /// Of a program that was started as the leader of a group.
    pub fn of(program: &Child) -> Self {
        Self(program.id().map(|id| Pid::from_raw(id.cast_signed())))
    }

    /// What a program that has ended leaves running it means to.
    pub fn let_go(mut self) {
        self.0 = None;
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // Its number is nobody else's: whoever drops us has not yet waited for the program.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}
