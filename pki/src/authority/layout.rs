//! Where things stand in the directory, and the document that names what counts.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::storage::{self, Storage};
use super::{AuthorityError, StorageError};
use crate::{AuthorityId, Serial};

/// `authority.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct State {
    /// The cluster's name.
    pub(super) cluster: String,
    /// The generation that issues.
    pub(super) current: AuthorityId,
    /// The rotation under way, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rotation: Option<Overlap>,
}

/// A rotation under way: both generations are trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Overlap {
    /// The generation before.
    pub(super) old: AuthorityId,
    /// When it began.
    pub(super) since: Timestamp,
}

impl State {
    /// Reads the document; `None` when there is none, so no authority.
    pub(super) fn read(root: &Path) -> Result<Option<Self>, AuthorityError> {
        let path = file(root);
        let Some(text) = storage::read(&path)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|e| AuthorityError::damaged(path, "not the expected JSON", e))
    }

    /// Writes the document: from now on it is so.
    pub(super) fn commit(&self, storage: &Storage) -> Result<(), StorageError> {
        let text = serde_json::to_string_pretty(self).expect("names, ids and times are always JSON");
        storage.write(&file(storage.root()), format!("{text}\n").as_bytes())
    }

    /// Whether this generation counts.
    pub(super) fn names(&self, id: &str) -> bool {
        self.current.as_str() == id || self.rotation.as_ref().is_some_and(|r| r.old.as_str() == id)
    }
}

/// The document's path.
pub(super) fn file(root: &Path) -> PathBuf {
    root.join("authority.json")
}

/// Where generations are.
pub(super) fn generations(root: &Path) -> PathBuf {
    root.join("authorities")
}

/// Where one generation is.
pub(super) fn generation(root: &Path, id: &AuthorityId) -> PathBuf {
    generations(root).join(id.as_str())
}

/// A generation's key, encrypted.
pub(super) fn key(root: &Path, id: &AuthorityId) -> PathBuf {
    generation(root, id).join("key.pem")
}

/// A generation's own certificate.
pub(super) fn certificate(root: &Path, id: &AuthorityId) -> PathBuf {
    generation(root, id).join("certificate.pem")
}

/// A generation's certificate from the generation before.
pub(super) fn cross_certificate(root: &Path, id: &AuthorityId) -> PathBuf {
    generation(root, id).join("cross.pem")
}

/// Where issued certificates are.
pub(super) fn issued(root: &Path) -> PathBuf {
    root.join("issued")
}

/// One issued certificate.
pub(super) fn issued_certificate(root: &Path, serial: Serial) -> PathBuf {
    issued(root).join(format!("{serial}.pem"))
}

/// Where revoked serial numbers are.
pub(super) fn revoked(root: &Path) -> PathBuf {
    root.join("revoked")
}

/// Removes what an interrupted creation, rotation or retirement left: generations that aren't named, the old one's key.
pub(super) fn sweep(root: &Path, state: Option<&State>) -> Result<(), StorageError> {
    for id in storage::entries(&generations(root))? {
        if !state.is_some_and(|s| s.names(&id)) {
            storage::remove_dir(&generations(root).join(id))?;
        }
    }
    match state {
        Some(State { rotation: Some(Overlap { old, .. }), .. }) => storage::remove_file(&key(root, old)),
        Some(State { rotation: None, current, .. }) => storage::remove_file(&cross_certificate(root, current)),
        None => Ok(()),
    }
}
