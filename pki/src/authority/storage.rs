//! The authority's directory: who may reach it, and writing that survives a crash.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::AuthorityError;

/// The name of the one file that is being written.
const STAGED: &str = "file";

/// A file operation that failed.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {path}")]
pub struct StorageError {
    operation: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// The directory, locked for this process as long as the value lives.
#[derive(Debug)]
pub(super) struct Storage {
    root: PathBuf,
    staging: PathBuf,
    lock: File,
}

impl Storage {
    /// Locks `root`, which must exist, and removes what an interrupted write left behind.
    pub(super) fn open(root: &Path) -> Result<Self, AuthorityError> {
        refuse_modes(root, 0o022, 0o700)?;
        let path = root.join("lock");
        let lock = attempt("opening", &path, || OpenOptions::new().create(true).append(true).mode(0o600).open(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(AuthorityError::InUse(root.to_owned())),
            Err(TryLockError::Error(e)) => return Err(failed("locking", &path)(e).into()),
        }
        let storage = Self { root: root.to_owned(), staging: root.join("staging"), lock };
        create_dir(&storage.staging)?;
        for left in entries(&storage.staging)? {
            remove_file(&storage.staging.join(left))?;
        }
        Ok(storage)
    }

    /// The directory itself.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Writes a file (0600) as a whole or not at all, in place of one that is there; on disk when this returns.
    pub(super) fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), StorageError> {
        let staged = self.stage(bytes)?;
        sync(&staged)?;
        self.put_in_place(path)?;
        sync_parent(path)
    }

    /// Writes a new file (0600) with a single sync, twice as fast as [`Self::write`]; on disk when this returns.
    ///
    /// Linux's file systems put a file's rename on disk with the file's own sync. Without the sync before it, a power failure
    /// in the middle can leave an empty file of that name: whoever reads such files takes an empty one for none.
    pub(super) fn write_new(&self, path: &Path, bytes: &[u8]) -> Result<(), StorageError> {
        self.stage(bytes)?;
        self.put_in_place(path)?;
        sync(path)
    }

    fn stage(&self, bytes: &[u8]) -> Result<PathBuf, StorageError> {
        let staged = self.staging.join(STAGED);
        remove_file(&staged)?;
        attempt("writing", &staged, || {
            OpenOptions::new().create_new(true).write(true).mode(0o600).open(&staged)?.write_all(bytes)
        })?;
        Ok(staged)
    }

    fn put_in_place(&self, path: &Path) -> Result<(), StorageError> {
        attempt("writing", path, || fs::rename(self.staging.join(STAGED), path))
    }
}

impl Drop for Storage {
    /// Closing the file is not enough: a child that another thread is just starting has a copy until it runs its program.
    fn drop(&mut self) {
        // An error leaves the lock to the closing of the file.
        let _ = self.lock.unlock();
    }
}

/// Creates a directory (0700) with its missing parents; on disk when this returns. One that is there is left as it is.
pub(super) fn create_dir(path: &Path) -> Result<(), StorageError> {
    if path.is_dir() {
        return Ok(());
    }
    attempt("creating", path, || DirBuilder::new().recursive(true).mode(0o700).create(path))?;
    sync_parent(path)
}

/// Creates an empty file (0600) unless it is there; on disk when this returns.
pub(super) fn create_marker(path: &Path) -> Result<(), StorageError> {
    attempt("creating", path, || OpenOptions::new().create(true).append(true).mode(0o600).open(path))?;
    sync(path)?;
    sync_parent(path)
}

/// The file's text, or `None` when there is none.
pub(super) fn read(path: &Path) -> Result<Option<String>, StorageError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(failed("reading", path)(e)),
    }
}

/// The names in a directory, as far as they are text; none when there is no directory.
pub(super) fn entries(path: &Path) -> Result<Vec<String>, StorageError> {
    let listing = match fs::read_dir(path) {
        Ok(listing) => listing,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed("listing", path)(e)),
    };
    let names = listing.map(|entry| entry.map(|e| e.file_name())).collect::<io::Result<Vec<_>>>();
    let names = names.map_err(failed("listing", path))?;
    Ok(names.into_iter().filter_map(|name| name.into_string().ok()).collect())
}

/// Removes a file, if it is there.
pub(super) fn remove_file(path: &Path) -> Result<(), StorageError> {
    attempt("removing", path, || absent_is_fine(fs::remove_file(path)))
}

/// Removes a directory and everything in it, if it is there.
pub(super) fn remove_dir(path: &Path) -> Result<(), StorageError> {
    attempt("removing", path, || absent_is_fine(fs::remove_dir_all(path)))
}

/// Refuses a path whose mode has any of the `forbidden` bits.
pub(super) fn refuse_modes(path: &Path, forbidden: u32, wanted: u32) -> Result<(), AuthorityError> {
    let mode = attempt("looking at", path, || fs::metadata(path))?.mode() & 0o777;
    if mode & forbidden == 0 { Ok(()) } else { Err(AuthorityError::Exposed { path: path.to_owned(), mode, wanted }) }
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })
}

fn sync(path: &Path) -> Result<(), StorageError> {
    attempt("syncing", path, || File::open(path)?.sync_all())
}

/// Without this a file's name can be lost in a power failure although its content is on disk.
fn sync_parent(path: &Path) -> Result<(), StorageError> {
    sync(path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

fn failed(operation: &'static str, path: &Path) -> impl Fn(io::Error) -> StorageError {
    move |source| StorageError { operation, path: path.to_owned(), source }
}

/// One step that can fail; in tests, also one at which the process can "die".
fn attempt<T>(operation: &'static str, path: &Path, step: impl FnOnce() -> io::Result<T>) -> Result<T, StorageError> {
    #[cfg(test)]
    super::crash::point().map_err(failed(operation, path))?;
    step().map_err(failed(operation, path))
}
