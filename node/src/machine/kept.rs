//! What stood at a path before us, kept so that it can be given back.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::atomic::{self, Attributes};
use super::digest::Digest;

/// What stands at a path. Contents are files of their own (0600) in the kept directory, never part of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Snapshot {
    /// Nothing.
    Missing,
    /// A file.
    File { kept: Digest, mode: u32, uid: u32, gid: u32, modified: SystemTime },
    /// A symbolic link.
    Link { target: PathBuf },
}

impl Snapshot {
    /// Looks at `path` and keeps what is there. A directory or device is refused.
    pub(super) fn take(path: &Path, kept: &Path) -> io::Result<Self> {
        let metadata = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::Missing),
            metadata => metadata?,
        };
        if metadata.is_symlink() {
            return Ok(Self::Link { target: fs::read_link(path)? });
        }
        if !metadata.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is neither a file nor a link"));
        }
        Ok(Self::File {
            kept: keep(&fs::read(path)?, kept)?,
            mode: metadata.mode() & 0o7777,
            uid: metadata.uid(),
            gid: metadata.gid(),
            modified: metadata.modified()?,
        })
    }

    /// Puts it back. Twice is once.
    pub(super) fn restore(&self, path: &Path, kept: &Path) -> io::Result<()> {
        atomic::remove(&atomic::temporary(path))?;
        match self {
            Self::Missing => {
                atomic::remove(path)?;
                if path.parent().is_some_and(Path::exists) { atomic::sync_parent(path) } else { Ok(()) }
            }
            Self::File { kept: name, mode, uid, gid, modified } => {
                let content = content(name, kept)?;
                let attributes = Attributes { mode: *mode, uid: *uid, gid: *gid, modified: Some(*modified) };
                atomic::replace(path, &content, attributes)
            }
            Self::Link { target } => {
                if fs::read_link(path).is_ok_and(|found| found == *target) {
                    return Ok(());
                }
                atomic::remove(path)?;
                std::os::unix::fs::symlink(target, path)?;
                atomic::sync_parent(path)
            }
        }
    }

    /// The name of its content in the kept directory.
    pub(super) fn kept(&self) -> Option<&Digest> {
        match self {
            Self::File { kept, .. } => Some(kept),
            Self::Missing | Self::Link { .. } => None,
        }
    }
}

/// Keeps a content and returns its name.
pub(super) fn keep(content: &[u8], kept: &Path) -> io::Result<Digest> {
    let name = Digest::of(content);
    let path = kept.join(name.to_string());
    if !path.exists() {
        atomic::replace(&path, content, Attributes::ours(0o600))?;
    }
    Ok(name)
}

/// A content that was kept.
pub(super) fn content(name: &Digest, kept: &Path) -> io::Result<Vec<u8>> {
    fs::read(kept.join(name.to_string()))
}

/// Removes every content that nobody will ask for.
pub(super) fn sweep(wanted: &BTreeSet<String>, kept: &Path) -> io::Result<()> {
    for entry in fs::read_dir(kept)? {
        let entry = entry?;
        if !entry.file_name().to_str().is_some_and(|name| wanted.contains(name)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
