//! A machine's /dev.

use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::stat::{Mode, SFlag, makedev, mknod, umask};

use super::mounts::{mount_new, mount_tmpfs};

/// Character devices: name, permissions, major and minor number.
const DEVICES: [(&str, u32, u64, u64); 9] = [
    ("null", 0o666, 1, 3),
    ("zero", 0o666, 1, 5),
    ("full", 0o666, 1, 7),
    ("random", 0o666, 1, 8),
    ("urandom", 0o666, 1, 9),
    ("tty", 0o666, 5, 0),
    ("console", 0o600, 5, 1),
    ("net/tun", 0o666, 10, 200),
    ("fuse", 0o666, 10, 229),
];

const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// Mounts a /dev with the devices that programs expect, terminals and shared memory. What exists already is kept.
pub(super) fn populate(dev: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dev.join("net"))?;
    let usual = umask(Mode::empty());
    for (name, mode, major, minor) in DEVICES {
        match mknod(&dev.join(name), SFlag::S_IFCHR, Mode::from_bits_truncate(mode), makedev(major, minor)) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(err) => return Err(io::Error::other(format!("making /dev/{name}: {err}"))),
        }
    }
    umask(usual);
    for (name, target) in LINKS {
        let path = dev.join(name);
        if path.symlink_metadata().is_ok() {
            std::fs::remove_file(&path)?;
        }
        symlink(target, path)?;
    }
    mount_new("devpts", &dev.join("pts"), "newinstance,ptmxmode=0666,mode=620,gid=5")?;
    mount_tmpfs(&dev.join("shm"), "1777")
}
