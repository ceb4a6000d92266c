//! Taps: rtnetlink makes none, so they are asked of `/dev/net/tun`. The only file here with `unsafe`.

use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::libc::{IFF_NO_PI, IFF_TAP, IFF_TUN_EXCL, c_char, c_int, c_short, ifreq};

use crate::InterfaceName;

/// The device from which taps are made.
pub(super) const DEVICE: &str = "/dev/net/tun";

mod ioctl {
    #![allow(unsafe_code, missing_docs)]
    use super::{c_int, ifreq};

    nix::ioctl_write_ptr_bad!(tunsetiff, nix::request_code_write!(b'T', 202, size_of::<c_int>()), ifreq);
    nix::ioctl_write_int!(tunsetpersist, b'T', 203);
}

/// A tap that goes with this value (and so with a crash) until it is made to last.
#[derive(Debug)]
pub(super) struct NewTap(File);

impl NewTap {
    /// Makes a tap in the calling thread's network namespace; `EBUSY` when the name is taken by a tap, `EEXIST` when by
    /// another link.
    pub(super) fn create(name: &InterfaceName) -> Result<Self, Errno> {
        let os = |error: std::io::Error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
        let file = OpenOptions::new().read(true).write(true).open(DEVICE).map_err(os)?;
        set_interface(&file, &request(name))?;
        Ok(Self(file))
    }

    /// Lets the tap outlive this value.
    #[allow(unsafe_code)]
    pub(super) fn persist(self) -> Result<(), Errno> {
        // SAFETY: TUNSETPERSIST takes an integer and touches no memory of ours; the descriptor is open.
        unsafe { ioctl::tunsetpersist(self.0.as_raw_fd(), 1) }.map(drop)
    }
}

#[allow(unsafe_code)]
fn set_interface(file: &File, request: &ifreq) -> Result<(), Errno> {
    // SAFETY: TUNSETIFF reads (and writes back the name into) one ifreq, which lives for the call; the descriptor is open.
    unsafe { ioctl::tunsetiff(file.as_raw_fd(), request) }.map(drop)
}

/// `IFF_TUN_EXCL`: a tap that is there already must not be opened instead.
#[allow(unsafe_code, clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
fn request(name: &InterfaceName) -> ifreq {
    // SAFETY: all bytes zero are a valid ifreq: an array and a union of plain data.
    let mut request: ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.as_str().bytes()) {
        *to = from as c_char;
    }
    request.ifr_ifru.ifru_flags = (IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL) as c_short;
    request
}
