//! The first process in a user-mode-linux machine.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::sethostname;

use super::{device, machine, mounts};

/// The serial line to the lab.
const LINE: &str = "/dev/ttyS0";

/// Brings the machine up and serves until the power goes. Modules are loaded by the kernel when something asks for them.
pub(super) fn run() -> io::Result<()> {
    mounts::mount_new("proc", "/proc".as_ref(), "")?;
    mounts::mount_new("sysfs", "/sys".as_ref(), "")?;
    // The kernel has mounted its devtmpfs: only what it doesn't know is added.
    device::populate("/dev".as_ref())?;
    machine::populate_volatile("/".as_ref())?;
    // On a hostfs every new file is root's, whoever makes it. Programs that spool as somebody else need a real file system.
    mounts::mount_tmpfs_copy("/var/spool".as_ref(), "/run/spool".as_ref())?;
    sethostname(fs::read_to_string("/etc/hostname")?.trim())?;
    let line = open_line(LINE.as_ref())?;
    crate::agent::server::serve_paced(&line)
}

/// Opens the serial line and makes it pass every byte as it is.
fn open_line(path: &Path) -> io::Result<File> {
    let line = OpenOptions::new().read(true).write(true).custom_flags(nix::libc::O_NOCTTY).open(path)?;
    let mut settings = tcgetattr(&line)?;
    cfmakeraw(&mut settings);
    tcsetattr(&line, SetArg::TCSANOW, &settings)?;
    Ok(line)
}
