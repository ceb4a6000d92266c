//! One process at a time changes a machine.

use std::fs::{File, Metadata, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Between two attempts, where the holder may be about to let go.
const PAUSE: Duration = Duration::from_millis(1);
const ATTEMPTS: u32 = 1000;

/// The right to change the machine, for as long as it lives. The kernel gives it back when the process ends, however it
/// ends; a child that was forked but has not yet become another program holds it too, so nobody else can believe that
/// such a child doesn't exist.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Why the lock can't be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("{} is held by {}; wait for it, or stop it", path.display(), who(*pid))]
    Held {
        /// The lock file.
        path: PathBuf,
        /// The holder's process id, when it could be read.
        pid: Option<u32>,
    },
    /// The file can't be opened or locked.
    #[error("locking {}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

fn who(pid: Option<u32>) -> String {
    pid.map_or("another process".into(), |pid| format!("process {pid}"))
}

impl Lock {
    /// Takes the lock or says who has it.
    pub(super) async fn take(path: &Path) -> Result<Self, LockError> {
        let failed = |source| LockError::Io { path: path.into(), source };
        let mut file = open(path).map_err(failed)?;
        for attempt in 0.. {
            match file.try_lock() {
                Ok(()) if is_at(&file, path) => break,
                // Whoever had it has removed it.
                Ok(()) => file = open(path).map_err(failed)?,
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                Err(TryLockError::WouldBlock) => {
                    let pid = holder(&mut file);
                    if attempt == ATTEMPTS || pid.is_some_and(lives_elsewhere) {
                        return Err(LockError::Held { path: path.into(), pid });
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

fn open(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).open(path)
}

fn is_at(file: &File, path: &Path) -> bool {
    let id = |found: &Metadata| (found.dev(), found.ino());
    matches!((file.metadata(), path.metadata()), (Ok(ours), Ok(theirs)) if id(&ours) == id(&theirs))
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().and_then(|()| file.read_to_string(&mut text)).ok()?;
    text.trim().parse().ok()
}

/// If not, the lock is held by a child that was forked by the one that had it, and that will soon be another program.
fn lives_elsewhere(pid: u32) -> bool {
    pid != std::process::id() && Path::new("/proc").join(pid.to_string()).exists()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn the_second_one_is_told_who_has_the_lock() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let first = Lock::take(&path).await.unwrap();
        let error = Lock::take(&path).await.unwrap_err().to_string();
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        drop(first);
        Lock::take(&path).await.unwrap();
    }

    #[tokio::test]
    async fn another_process_that_lives_is_named_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        std::fs::write(&path, "1\n").unwrap();
        let held = File::open(&path).unwrap();
        held.lock().unwrap();
        let error = Lock::take(&path).await.unwrap_err().to_string();
        assert_eq!(error, format!("{} is held by process 1; wait for it, or stop it", path.display()));
    }

    #[tokio::test]
    async fn a_lock_file_that_was_removed_is_not_held() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let removed = open(&path).unwrap();
        removed.lock().unwrap();
        std::fs::remove_file(&path).unwrap();
        let _second = Lock::take(&path).await.unwrap();
        assert!(!is_at(&removed, &path));
    }
}
