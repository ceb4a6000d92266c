//! Mounts, each with an error that names it.

use std::fs;
use std::io;
use std::path::Path;

use nix::mount::{MsFlags, mount};

use super::Share;

/// Cuts this process's mounts off from everyone else's, so that all of them go with it.
pub(super) fn make_private() -> io::Result<()> {
    named(
        "making mounts private under",
        Path::new("/"),
        mount_raw(None, "/".as_ref(), None, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None),
    )
}

/// Mounts a file system of the type, making the mount point.
pub(super) fn mount_new(kind: &str, at: &Path, options: &str) -> io::Result<()> {
    fs::create_dir_all(at).map_err(|err| name_error("making mount point", at, &err))?;
    named(
        &format!("mounting {kind} at"),
        at,
        mount_raw(Some(kind.as_ref()), at, Some(kind), MsFlags::empty(), Some(options)),
    )
}

/// Mounts a tmpfs with these permissions.
pub(super) fn mount_tmpfs(at: &Path, mode: &str) -> io::Result<()> {
    mount_new("tmpfs", at, &format!("mode={mode}"))
}

/// Puts a tmpfs over a directory, with everything in it as it was. `aside` is where it is filled.
pub(super) fn mount_tmpfs_copy(at: &Path, aside: &Path) -> io::Result<()> {
    mount_tmpfs(aside, "755")?;
    let copied = std::process::Command::new("cp").arg("-a").arg(at.join(".")).arg(aside).status()?;
    if !copied.success() {
        return Err(name_error("copying", at, &io::Error::other(copied.to_string())));
    }
    named("moving a tmpfs to", at, mount_raw(Some(aside), at, None, MsFlags::MS_MOVE, None))?;
    fs::remove_dir(aside)
}

/// Mounts the machine's own writable view of the image under `scratch`, a fresh tmpfs, as `scratch/root`.
pub(super) fn mount_overlay(image: &Path, scratch: &Path) -> io::Result<std::path::PathBuf> {
    mount_tmpfs(scratch, "755")?;
    let (upper, work, root) = (scratch.join("upper"), scratch.join("work"), scratch.join("root"));
    for directory in [&upper, &work] {
        fs::create_dir(directory).map_err(|err| name_error("making", directory, &err))?;
    }
    let lower = image.join("root");
    let options = format!("lowerdir={},upperdir={},workdir={}", lower.display(), upper.display(), work.display());
    mount_new("overlay", &root, &options)?;
    Ok(root)
}

/// Shows a directory read-only at a place under `root`.
pub(super) fn share(root: &Path, share: &Share) -> io::Result<()> {
    let to = root.join(share.to.strip_prefix("/").unwrap_or(&share.to));
    fs::create_dir_all(&to).map_err(|err| name_error("making", &to, &err))?;
    named("sharing", &share.from, mount_raw(Some(&share.from), &to, None, MsFlags::MS_BIND, None))?;
    // A bind mount takes its flags only when mounted again.
    let read_only = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    named("sharing read-only", &share.from, mount_raw(None, &to, None, read_only, None))
}

fn mount_raw(
    from: Option<&Path>,
    at: &Path,
    kind: Option<&str>,
    flags: MsFlags,
    data: Option<&str>,
) -> nix::Result<()> {
    mount(from, at, kind, flags, data)
}

fn named(operation: &str, object: &Path, result: nix::Result<()>) -> io::Result<()> {
    result.map_err(|err| name_error(operation, object, &err.into()))
}

fn name_error(operation: &str, object: &Path, err: &io::Error) -> io::Error {
    io::Error::new(err.kind(), format!("{operation} {}: {err}", object.display()))
}
