//! The journal's file: how it is put in place, and what can go wrong with it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Why the journal can't be used. Nothing that needs it may be done then.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refused.
    #[error("can't {operation} the journal {}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Another process has it open.
    #[error("the journal {} is in use by another process: wait for it to end", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// A line before the last one makes no sense: not a crash of ours.
    #[error("line {line} of the journal {} is damaged; restore the file, or move it away when nothing of it is needed", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// Says which operation on which file the system refused.
pub(super) fn failure(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError + use<> {
    let path = path.to_path_buf();
    move |source| JournalError::Io { operation, path, source }
}

/// Puts a new file in `path`'s place, whole and locked at every moment.
pub(super) fn replace(path: &Path, text: &[u8]) -> io::Result<File> {
    let beside = path.with_extension("new");
    let _ = std::fs::remove_file(&beside);
    let mut file = OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(&beside)?;
    file.lock()?;
    file.write_all(text)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    Ok(file)
}

/// A new name in a directory is on disk only when the directory is.
pub(super) fn sync_directory(path: &Path) -> Result<(), JournalError> {
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    File::open(parent).and_then(|directory| directory.sync_all()).map_err(failure("sync the directory of", path))
}
