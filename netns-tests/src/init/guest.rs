//! The first process in a user-mode-linux machine.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Command;

use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::sethostname;

use super::{device, machine, mounts};

/// The serial line to the lab.
const LINE: &str = "/dev/ttyS0";

/// A program that the kernel would start at each event of a device, where it was built with one.
const EVENT_HELPER: &str = "/sys/kernel/uevent_helper";

/// Brings the machine up and serves until the power goes. Modules are loaded by the kernel when something asks for them, but for
/// the one that systemd loads before everything else.
pub(super) fn run() -> io::Result<()> {
    mounts::mount_new("proc", "/proc".as_ref(), "")?;
    mounts::mount_new("sysfs", "/sys".as_ref(), "")?;
    settle_kernel()?;
    // The kernel has mounted its devtmpfs: only what it doesn't know is added.
    device::populate("/dev".as_ref())?;
    machine::populate_volatile("/".as_ref())?;
    // On a hostfs every new file is root's, whoever makes it. Programs that spool as somebody else need a real file system.
    mounts::mount_tmpfs_copy("/var/spool".as_ref(), "/run/spool".as_ref())?;
    sethostname(fs::read_to_string("/etc/hostname")?.trim())?;
    let line = open_line(LINE.as_ref())?;
    crate::agent::server::serve_paced(&line)
}

/// What any Debian machine's kernel is like once it has booted: udev wants no helper started at each event, and systemd's
/// `kmod-setup.c` loads IPv6. User-mode-linux's has a helper, and would load IPv6 in the middle of whoever first asks for it.
fn settle_kernel() -> io::Result<()> {
    if Path::new(EVENT_HELPER).exists() {
        fs::write(EVENT_HELPER, "\n")?;
    }
    let loaded = Command::new("/sbin/modprobe").args(["--quiet", "ipv6"]).status()?;
    if loaded.success() { Ok(()) } else { Err(io::Error::other(format!("modprobe ipv6: {loaded}"))) }
}

/// Opens the serial line and makes it pass every byte as it is.
fn open_line(path: &Path) -> io::Result<File> {
    let line = OpenOptions::new().read(true).write(true).custom_flags(nix::libc::O_NOCTTY).open(path)?;
    let mut settings = tcgetattr(&line)?;
    cfmakeraw(&mut settings);
    tcsetattr(&line, SetArg::TCSANOW, &settings)?;
    Ok(line)
}
