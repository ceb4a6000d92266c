//! Hearing of changes of a file, or of what stands in a directory, when they happen.

use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::io::unix::AsyncFd;

use super::readable::readable;

/// Hears of changes from its making on.
#[derive(Debug)]
pub struct Watch(AsyncFd<OwnedFd>);

impl Watch {
    /// Of a file's content, or of the files in a directory and their contents; it must be there.
    pub fn of(path: &Path) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        let what = AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
        inotify.add_watch(path, what)?;
        Ok(Self(readable(OwnedFd::from(inotify))?))
    }

    /// Waits for a change since the last time.
    pub async fn changed(&self) -> io::Result<()> {
        self.0.readable().await?.clear_ready();
        self.drain()
    }

    /// Takes the events away, so that the next one is news.
    fn drain(&self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        loop {
            match nix::unistd::read(self.0.get_ref(), &mut buffer).map_err(io::Error::from) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}
