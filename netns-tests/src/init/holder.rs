//! The surroundings of a user-mode-linux machine: a disk, and a process namespace that takes everything along when it ends.
//!
//! The disk is the image under a writable layer in memory; it outlives the guest's crashes and reboots. The guest's kernel
//! is an ordinary program that the lab starts through this process's agent.

use std::fs;
use std::io;

use nix::sched::{CloneFlags, unshare};

use super::{InitConfig, machine, mounts};

/// Builds the disk at `mnt/root` under the image's directory, and a place for the guest's memory beside it.
pub(super) fn build(config: &InitConfig) -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWIPC)?;
    mounts::make_private()?;
    let scratch = config.image.join("mnt");
    let root = mounts::mount_overlay(&config.image, &scratch)?;
    for share in &config.shares {
        mounts::share(&root, share)?;
    }
    machine::write_names(&root, config)?;
    fs::create_dir(scratch.join("memory"))?;
    // The guest's processes are traced threads of its kernel: they show only in a /proc of this process namespace.
    mounts::mount_new("proc", "/proc".as_ref(), "")
}
