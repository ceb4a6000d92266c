//! A machine made of namespaces.

use std::fs;
use std::io;
use std::path::Path;

use nix::mount::{MntFlags, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root, sethostname};

use super::{InitConfig, device, mounts};

/// Builds the machine around this process: own host name, root, /proc, /sys, /dev, /run.
pub(super) fn build(config: &InitConfig) -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC)?;
    mounts::make_private()?;
    let root = mounts::mount_overlay(&config.image, &config.image.join("mnt"))?;
    for share in &config.shares {
        mounts::share(&root, share)?;
    }
    mounts::mount_tmpfs(&root.join("dev"), "755")?;
    device::populate(&root.join("dev"))?;
    mounts::mount_new("proc", &root.join("proc"), "")?;
    mounts::mount_new("sysfs", &root.join("sys"), "")?;
    for volume in &config.volumes {
        mounts::mount_tmpfs(&root.join(volume.strip_prefix("/").unwrap_or(volume)), "755")?;
    }
    populate_volatile(&root)?;
    become_root(&root)?;
    identify(config)
}

/// Makes the new root `/`, and forgets the old one.
fn become_root(root: &Path) -> io::Result<()> {
    chdir(root)?;
    pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    Ok(chdir("/")?)
}

/// Mounts /run and /tmp with the directories that a boot of Debian makes for its daemons.
pub(super) fn populate_volatile(root: &Path) -> io::Result<()> {
    mounts::mount_tmpfs(&root.join("run"), "755")?;
    mounts::mount_tmpfs(&root.join("tmp"), "1777")?;
    for directory in ["run/lock", "run/sshd", "run/rpcbind", "run/openvpn", "run/ganesha", "run/dbus"] {
        fs::create_dir_all(root.join(directory))?;
    }
    Ok(())
}

/// Gives the machine its name.
pub(super) fn identify(config: &InitConfig) -> io::Result<()> {
    sethostname(&config.hostname)?;
    write_names(Path::new("/"), config)
}

/// Writes the files that tell a machine's name and its neighbours'.
pub(super) fn write_names(root: &Path, config: &InitConfig) -> io::Result<()> {
    fs::write(root.join("etc/hostname"), format!("{}\n", config.hostname))?;
    let own = if config.hosts.split_whitespace().any(|word| word == config.hostname) {
        String::new()
    } else {
        format!("127.0.1.1\t{}\n", config.hostname)
    };
    fs::write(root.join("etc/hosts"), format!("127.0.0.1\tlocalhost\n{own}{}", config.hosts))?;
    fs::write(root.join("etc/resolv.conf"), "")
}
