//! Reaps every process that ends in the machine: daemons whose parents are gone become children of its first process.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::process::{Child, Command};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;

/// The children that someone waits for, and where the news of their end goes.
#[derive(Default)]
struct Children {
    waiting: HashMap<i32, ExitSender>,
}

/// Tells the end of one process: the status, and a pipe that closes with it so that a poll notices.
struct ExitSender {
    status: std::sync::mpsc::Sender<i32>,
    _closes: std::io::PipeWriter,
}

/// Learns the end of one process.
pub(super) struct ExitReceiver {
    status: std::sync::mpsc::Receiver<i32>,
    /// Readable (at its end) once the process has ended.
    pub(super) closed: File,
}

impl ExitReceiver {
    /// Waits for the status: the exit code, or 128 + the signal.
    pub(super) fn wait(&self) -> i32 {
        self.status.recv().unwrap_or(-1)
    }
}

/// Starts processes and reaps them. The only code of the agent that forks or waits.
#[derive(Clone, Default)]
pub(super) struct Reaper {
    shared: Arc<(Mutex<Children>, Condvar)>,
}

impl Reaper {
    /// Starts the reaping thread.
    pub(super) fn start() -> Self {
        let reaper = Self::default();
        let reaping = reaper.clone();
        std::thread::spawn(move || {
            loop {
                reaping.reap_next();
            }
        });
        reaper
    }

    /// Starts a process. The lock is held over the fork, so that its end can't be reaped before it is known, and the
    /// standard library can wait by itself for one whose exec failed.
    pub(super) fn spawn(&self, command: &mut Command) -> io::Result<(Child, ExitReceiver)> {
        let (reader, writer) = io::pipe()?;
        let (sender, receiver) = std::sync::mpsc::channel();
        let mut children = self.lock();
        let child = command.spawn()?;
        children.waiting.insert(child.id().cast_signed(), ExitSender { status: sender, _closes: writer });
        self.shared.1.notify_one();
        let closed = File::from(std::os::fd::OwnedFd::from(reader));
        Ok((child, ExitReceiver { status: receiver, closed }))
    }

    /// Blocks until a child has ended, then reaps all that have. With no child at all it sleeps until the next start:
    /// an orphan can come only from a descendant of a child.
    fn reap_next(&self) {
        match waitid(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) {
            Err(Errno::ECHILD) => self.wait_for_a_start(),
            _ => self.reap_ended(),
        }
    }

    fn wait_for_a_start(&self) {
        let children = self.lock();
        if children.waiting.is_empty() {
            drop(self.shared.1.wait(children));
        }
    }

    fn reap_ended(&self) {
        let mut children = self.lock();
        loop {
            let (pid, status) = match waitpid(None::<Pid>, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => (pid, code),
                Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, 128 + signal as i32),
                Ok(WaitStatus::StillAlive) | Err(_) => return,
                Ok(_) => continue,
            };
            if let Some(sender) = children.waiting.remove(&pid.as_raw()) {
                let _ = sender.status.send(status);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Children> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
