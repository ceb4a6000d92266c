//! Letting the runtime wait for a file descriptor.

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Registers a file descriptor, so that its becoming readable can be awaited. Needs a tokio runtime.
#[allow(unsafe_code)]
pub(super) fn readable(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` keeps the same open file descriptor for as long as it lives, and `AsyncFd` deregisters it
    // before it drops it; we only ever borrow it.
    let registered = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
    Ok(registered?)
}
