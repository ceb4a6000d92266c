//! Replacing a file so that nobody ever sees half of it.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file's properties beside its content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attributes {
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// The time of its last change, when it is to be given back as it was.
    pub modified: Option<SystemTime>,
}

impl Attributes {
    /// Of a file that belongs to whoever we run as.
    pub(super) fn ours(mode: u32) -> Self {
        let (uid, gid) = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
        Self { mode, uid, gid, modified: None }
    }
}

/// Where a file's next content is written, beside it. Known in advance, so that a crash leaves nothing that can't be found.
pub(super) fn temporary(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".landbridge");
    path.with_file_name(name)
}

/// Writes the whole file beside `path` and puts it in its place. It is never readable by more than `mode` says. A file
/// that can't be renamed over because something is mounted there is written in place.
pub(super) fn replace(path: &Path, content: &[u8], attributes: Attributes) -> io::Result<()> {
    let temporary = temporary(path);
    remove(&temporary)?;
    write_new(&temporary, content, attributes)?;
    match std::fs::rename(&temporary, path) {
        Ok(()) => sync_parent(path),
        Err(error) if error.kind() == ErrorKind::ResourceBusy => {
            remove(&temporary)?;
            overwrite(path, content, attributes)
        }
        Err(error) => {
            remove(&temporary)?;
            Err(error)
        }
    }
}

/// [`replace`], by a file of whoever we run as.
pub(crate) fn write_whole(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    replace(path, content, Attributes::ours(mode))
}

/// Removes a file or link; one that is missing is fine.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes a rename or removal in the file's directory last.
pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

fn write_new(path: &Path, content: &[u8], attributes: Attributes) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(attributes.mode & 0o777).open(path)?;
    // The owner first: a file that is still empty can't be read by the wrong one.
    set_attributes(path, &file, attributes)?;
    write_content(file, content, attributes.modified)
}

fn overwrite(path: &Path, content: &[u8], attributes: Attributes) -> io::Result<()> {
    let file = OpenOptions::new().write(true).truncate(true).open(path)?;
    set_attributes(path, &file, attributes)?;
    write_content(file, content, attributes.modified)
}

fn set_attributes(path: &Path, file: &File, attributes: Attributes) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let found = file.metadata()?;
    if (found.uid(), found.gid()) != (attributes.uid, attributes.gid) {
        chown(path, Some(attributes.uid), Some(attributes.gid))?;
    }
    // Only where the process's umask (or, with special bits, chown) took away what is wanted.
    if file.metadata()?.mode() & 0o7777 != attributes.mode {
        file.set_permissions(std::fs::Permissions::from_mode(attributes.mode))?;
    }
    Ok(())
}

fn write_content(mut file: File, content: &[u8], modified: Option<SystemTime>) -> io::Result<()> {
    file.write_all(content)?;
    if let Some(modified) = modified {
        file.set_modified(modified)?;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_mode_is_exact_and_nothing_stays_beside() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        for mode in [0o600, 0o644, 0o666, 0o4755] {
            replace(&path, b"x", Attributes { mode, uid: 0, gid: 0, modified: None }).unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode);
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
