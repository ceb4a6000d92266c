//! The sockets of a program of ours, for what can be set of a socket and has no option of the program's.

use std::fs::{self, DirEntry};
use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;

use super::StepError;
use super::kinds::process::Instance;
use super::pidfd::PidFd;
use super::place::Place;

/// The sockets of a process of ours, which is held: it can't become another's meanwhile.
#[derive(Debug)]
pub struct Sockets {
    process: PidFd,
    pid: i32,
}

impl Sockets {
    /// Of the process of this name; `None` where it doesn't run.
    pub(super) fn of(place: &Place, process: &str) -> Result<Option<Self>, StepError> {
        let record = place.process(process);
        let Some(instance) = Instance::running(&record)? else { return Ok(None) };
        let held = instance.open().map_err(StepError::io("holding the process of", &record))?;
        Ok(held.map(|process| Self { process, pid: instance.pid() }))
    }

    #[cfg(test)]
    pub(crate) fn of_this_process() -> Self {
        let pid = i32::try_from(std::process::id()).expect("an id");
        Self { process: PidFd::open(pid).expect("our own process").expect("it lives"), pid }
    }

    /// A copy of each, one after another, the oldest mostly first: as the kernel lists their numbers.
    pub fn copies(&self) -> io::Result<impl Iterator<Item = io::Result<OwnedFd>> + '_> {
        let entries = fs::read_dir(format!("/proc/{}/fd", self.pid))?;
        Ok(entries.filter_map(|entry| entry.map_or_else(|error| Some(Err(error)), |entry| self.copy(&entry))))
    }

    /// `None` for what is no socket, or was closed meanwhile.
    fn copy(&self, entry: &DirEntry) -> Option<io::Result<OwnedFd>> {
        let to = fs::read_link(entry.path()).ok()?;
        let number = entry.file_name().to_str()?.parse().ok()?;
        if !to.to_string_lossy().starts_with("socket:") {
            return None;
        }
        match self.process.copy(number) {
            Err(Errno::BADF) => None,
            copied => Some(copied.map_err(io::Error::from)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_sockets_copy_is_the_socket_itself() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let sockets = Sockets::of_this_process();
        let copies = sockets.copies().expect("our own sockets").filter_map(Result::ok);
        let addresses = copies.filter_map(|copy| rustix::net::getsockname(&copy).ok());
        let expected = listener.local_addr().expect("its address");
        assert!(addresses.filter_map(|it| std::net::SocketAddr::try_from(it).ok()).any(|it| it == expected));
    }
}
