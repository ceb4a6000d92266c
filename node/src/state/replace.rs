//! Files that are whole or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StateError;
use crate::machine::crash;

/// Writes a file (0600 from its first moment) that is seen either as before or as it should be, also after a crash.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), StateError> {
    let beside = path.with_extension("new");
    let put = || -> io::Result<()> {
        remove_file(&beside)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(content)?;
        file.sync_all()?;
        rename(&beside, path)
    };
    put().map_err(StateError::io("writing", path))?;
    crash::point();
    Ok(())
}

/// Renames, and makes the new name survive a crash.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    let directory = to.parent().expect("a file of the state directory");
    File::open(directory)?.sync_all()
}

/// Reads a file; `None` when there is none.
pub(super) fn read(path: &Path) -> Result<Option<String>, StateError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StateError::io("reading", path)(error)),
    }
}

/// Removes a file; none is fine.
pub(super) fn remove(path: &Path) -> Result<(), StateError> {
    remove_file(path).map_err(StateError::io("removing", path))?;
    crash::point();
    Ok(())
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a document.
pub(super) fn write_json(path: &Path, document: &impl Serialize) -> Result<(), StateError> {
    let mut text = serde_json::to_vec_pretty(document).expect("a document of ours is JSON");
    text.push(b'\n');
    write(path, &text)
}

/// Reads a document; `None` when there is none.
pub(super) fn read_json<D: DeserializeOwned>(path: &Path) -> Result<Option<D>, StateError> {
    let Some(text) = read(path)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|source| StateError::Damaged { path: path.to_owned(), source })
}
