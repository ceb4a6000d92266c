//! Waiting inside a machine for something to appear.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

/// Waits until the path exists, by inotify on the nearest directory above it that exists already.
pub(super) fn for_path(path: &Path, patience: Duration) -> Result<(), String> {
    let until = Instant::now() + patience;
    let failed = |operation: &str, err: nix::Error| format!("{operation} while waiting for {}: {err}", path.display());
    while !path.exists() {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC).map_err(|err| failed("inotify", err))?;
        let above = nearest_existing(path);
        inotify
            .add_watch(&above, AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO)
            .map_err(|err| failed(&format!("watching {}", above.display()), err))?;
        // Looked at again after the watch stands: else what came in between would be waited for in vain.
        if path.exists() || nearest_existing(path) != above {
            continue;
        }
        let left = until.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(std::os::fd::AsFd::as_fd(&inotify), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(left.as_millis()).unwrap_or(PollTimeout::MAX);
        if left.is_zero() || poll(&mut fds, timeout) == Ok(0) {
            return Err(format!("{} did not appear in {patience:?}", path.display()));
        }
    }
    Ok(())
}

fn nearest_existing(path: &Path) -> PathBuf {
    path.ancestors().skip(1).find(|above| above.is_dir()).unwrap_or(Path::new("/")).to_owned()
}

/// Waits until a connection is accepted. The kernel has no event for "someone listens", so this knocks.
pub(super) fn for_tcp(address: SocketAddr, patience: Duration) -> Result<(), String> {
    const PAUSE: Duration = Duration::from_millis(10);
    let until = Instant::now() + patience;
    loop {
        let left = until.saturating_duration_since(Instant::now()).max(PAUSE);
        match TcpStream::connect_timeout(&address, left) {
            Ok(_) => return Ok(()),
            Err(err) if Instant::now() + PAUSE >= until => {
                return Err(format!("nobody accepted a connection to {address} in {patience:?}: {err}"));
            }
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}
