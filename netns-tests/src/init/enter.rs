//! From the lab's process into the machine's namespaces.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::getppid;

use super::InitConfig;

/// Makes or joins the network namespace, makes a process namespace, starts its first process and waits for it.
pub(super) fn enter(config: &InitConfig, text: &str) -> io::Result<()> {
    die_with_parent()?;
    if getppid().as_raw().cast_unsigned() != config.parent {
        return Err(io::Error::other("the lab ended while this machine was starting"));
    }
    match &config.netns {
        Some(path) => setns(File::open(path)?, CloneFlags::CLONE_NEWNET)?,
        None => unshare(CloneFlags::CLONE_NEWNET)?,
    }
    unshare(CloneFlags::CLONE_NEWPID)?;
    let status = Command::new("/proc/self/exe").arg0("init").args(["serve", text]).status()?;
    std::process::exit(status.code().unwrap_or(1));
}

/// Asks the kernel to kill this process when the thread that started it ends.
pub(super) fn die_with_parent() -> io::Result<()> {
    Ok(set_pdeathsig(Signal::SIGKILL)?)
}
