//! Hearing of changes of a file, or of what stands in a directory, when they happen.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::stat::Mode;
use tokio::io::unix::AsyncFd;

use super::readable::readable;

/// Between two looks, where the kernel tells of no changes.
const PAUSE: Duration = Duration::from_millis(50);

/// Hears of changes from its making on.
#[derive(Debug)]
pub struct Watch {
    ear: Ear,
    /// Held: a file system that remembers no names, as user-mode-linux's, would give whoever comes next another inode than the one
    /// that is watched, and nothing would be heard.
    _path: OwnedFd,
}

#[derive(Debug)]
enum Ear {
    Inotify(AsyncFd<OwnedFd>),
    /// The kernel gives a user only so many inotify instances (128, `fs.inotify.max_user_instances`), whoever has them: on a
    /// machine with many containers there may be none left.
    Clock,
}

impl Watch {
    /// Of a file's content, or of the files in a directory and their contents; it must be there.
    pub fn of(path: &Path) -> io::Result<Self> {
        let path_flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
        let held = nix::fcntl::open(path, path_flags, Mode::empty())?;
        let inotify = match Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC) {
            Ok(inotify) => inotify,
            Err(Errno::EMFILE) => return Ok(Self { ear: Ear::Clock, _path: held }),
            Err(error) => return Err(error.into()),
        };
        let what = AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
        inotify.add_watch(path, what)?;
        Ok(Self { ear: Ear::Inotify(readable(OwnedFd::from(inotify))?), _path: held })
    }

    /// Waits for a change since the last time, or until there may have been one.
    pub async fn changed(&self) -> io::Result<()> {
        match &self.ear {
            Ear::Inotify(events) => {
                events.readable().await?.clear_ready();
                drain(events.get_ref())
            }
            Ear::Clock => {
                tokio::time::sleep(PAUSE).await;
                Ok(())
            }
        }
    }
}

/// Takes the events away, so that the next one is news.
fn drain(events: &impl AsFd) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match nix::unistd::read(events, &mut buffer).map_err(io::Error::from) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
