//! Taps: the machine ends of the WAN relay and of the workers' network cards. The only unsafe code of this crate.
#![allow(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;

use nix::libc::{IFF_NO_PI, IFF_TAP, IFF_VNET_HDR, O_NONBLOCK, TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6, c_short, ifreq};

nix::ioctl_write_int!(tun_set_iff, b'T', 202);
nix::ioctl_write_int!(tun_set_persist, b'T', 203);
nix::ioctl_write_int!(tun_set_offload, b'T', 208);

/// Bytes of `struct virtio_net_hdr`, which precedes every frame on a tap made here.
pub(crate) const FRAME_HEADER_BYTES: usize = 10;

/// Opens a tap in this thread's network namespace, making it if there is none of this name. It goes when the descriptor
/// is closed. Reads and writes don't block; every frame carries a virtio header.
pub(crate) fn open(name: &str) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).custom_flags(O_NONBLOCK).open("/dev/net/tun")?;
    let request = request_for(name)?;
    // SAFETY: the kernel reads and writes one `struct ifreq`, which lives across the call.
    unsafe { tun_set_iff(file.as_raw_fd(), &raw const request as u64)? };
    Ok(file)
}

/// Makes a tap in this thread's network namespace that stays without a descriptor, until its namespace goes.
pub(crate) fn create_persistent(name: &str) -> io::Result<()> {
    let file = open(name)?;
    // SAFETY: the argument is a plain number.
    unsafe { tun_set_persist(file.as_raw_fd(), 1)? };
    Ok(())
}

/// Lets the kernel hand over (and take) frames of up to 64 KiB whose segmentation and checksums are still to be done,
/// or forbids it, so that each read is one frame of the wire.
pub(crate) fn set_offload(tap: &File, large_frames: bool) -> io::Result<()> {
    let flags = if large_frames { TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 } else { 0 };
    // SAFETY: the argument is a plain number.
    unsafe { tun_set_offload(tap.as_raw_fd(), u64::from(flags))? };
    Ok(())
}

fn request_for(name: &str) -> io::Result<ifreq> {
    // SAFETY: all-zero bytes are a valid `struct ifreq`: an empty name and a zero in its union.
    let mut request: ifreq = unsafe { std::mem::zeroed() };
    if name.len() >= request.ifr_name.len() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{name} is too long for an interface name")));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from.cast_signed();
    }
    // 0x5002: the kernel's field is 16 bits wide.
    request.ifr_ifru.ifru_flags = c_short::try_from(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR).map_err(io::Error::other)?;
    Ok(request)
}
