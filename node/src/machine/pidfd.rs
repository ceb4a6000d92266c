//! Processes that can't be mistaken for others: known by process id, start time and boot, held by a pidfd.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, Signal, pidfd_getfd, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};
use tokio::io::unix::AsyncFd;

use super::readable::readable;

/// Which process, for ever: the id alone may be another's tomorrow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pid: i32,
    /// In clock ticks since boot: field 22 of `/proc/PID/stat`, proc(5).
    start: u64,
    boot: String,
}

/// A process that lives, or has lived until just now.
#[derive(Debug)]
pub(super) struct PidFd(AsyncFd<OwnedFd>);

/// What `/proc/PID/stat` says of a living process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub session: i32,
    start: u64,
}

impl Stat {
    /// `None` when there is no such process, or it has ended and waits for its parent.
    pub(super) fn read(pid: i32) -> io::Result<Option<Self>> {
        match read(pid, "stat") {
            Ok(text) => Ok(Self::parse(&String::from_utf8_lossy(&text))),
            Err(error) if gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        // The name in parentheses may itself have spaces and parentheses.
        let fields: Vec<&str> = text[text.rfind(')')? + 1..].split_whitespace().collect();
        let living = !matches!(*fields.first()?, "Z" | "X" | "x");
        living.then_some(Self { session: fields.get(3)?.parse().ok()?, start: fields.get(19)?.parse().ok()? })
    }
}

/// What a file of proc(5) says of a process. All processes are looked at before a program is started: in one piece, where `fs::read`
/// takes a file that has no size by and by.
pub(super) fn read(pid: i32, file: &str) -> io::Result<Vec<u8>> {
    let mut content = Vec::with_capacity(4096);
    File::open(format!("/proc/{pid}/{file}"))?.take(u64::MAX).read_to_end(&mut content)?;
    Ok(content)
}

/// Whether the kernel means that there is no such process.
pub(super) fn gone(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(nix::errno::Errno::ESRCH as i32)
}

impl Identity {
    /// Of the process that has this id now; `None` when there is none.
    pub(super) fn of(pid: i32) -> io::Result<Option<Self>> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
        Ok(Stat::read(pid)?.map(|stat| Self { pid, start: stat.start, boot }))
    }

    /// The id.
    pub(super) fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether it runs.
    pub(super) fn lives(&self) -> io::Result<bool> {
        Ok(Self::of(self.pid)?.as_ref() == Some(self))
    }

    /// Holds on to it; `None` when it has ended.
    pub(super) fn open(&self) -> io::Result<Option<PidFd>> {
        let Some(fd) = PidFd::open(self.pid)? else { return Ok(None) };
        // Only now: the file descriptor is of whoever had the id when it was opened, and keeps it.
        Ok(self.lives()?.then_some(fd))
    }
}

impl PidFd {
    /// Holds on to whoever has this id; `None` when nobody has.
    pub(super) fn open(pid: i32) -> io::Result<Option<Self>> {
        let Some(pid) = Pid::from_raw(pid) else { return Ok(None) };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(fd) => Ok(Some(Self(readable(fd)?))),
            // The second: the process has ended, and its id lives on as that of a session or group in which it left others.
            Err(error) if gone(&error.into()) || error == Errno::INVAL => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A copy of one of its file descriptors, pidfd_getfd(2).
    pub(super) fn copy(&self, number: i32) -> Result<OwnedFd, Errno> {
        pidfd_getfd(&self.0, number, PidfdGetfdFlags::empty())
    }

    /// Waits until it has ended.
    pub(super) async fn exited(&self) {
        // An error would mean that the runtime is shutting down: nobody is waiting any more.
        drop(self.0.readable().await);
    }

    /// Sends a signal; nothing happens when it has ended.
    pub(super) fn signal(&self, signal: Signal) -> io::Result<()> {
        match pidfd_send_signal(&self.0, signal) {
            Err(error) if !gone(&error.into()) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Asks it to end, and past `patience` makes it.
    pub(super) async fn end(&self, patience: Duration) -> io::Result<()> {
        self.signal(Signal::TERM)?;
        if tokio::time::timeout(patience, self.exited()).await.is_err() {
            self.kill().await?;
        }
        Ok(())
    }

    /// Makes it end.
    pub(super) async fn kill(&self) -> io::Result<()> {
        self.signal(Signal::KILL)?;
        self.exited().await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let text = "7 (a) b) S 1 7 5 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 8192 1";
        assert_eq!(Stat::parse(text), Some(Stat { session: 5, start: 4242 }));
    }

    #[test]
    fn a_zombie_does_not_live() {
        assert_eq!(Stat::parse("7 (a) Z 1 7 5 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 8192 1"), None);
    }
}
