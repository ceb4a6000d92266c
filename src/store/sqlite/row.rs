//! Values as they stand in the file.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use jiff::Timestamp;
use landbridge_node::wire::Via;
use landbridge_pki::Role;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::StoreError;

/// Makes the file with 0600 before SQLite would make it with the umask's mode; SQLite gives its `-wal` the same mode.
pub(super) fn create_private(path: &Path) -> Result<(), StoreError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => {
            let source = rusqlite::Error::ToSqlConversionFailure(Box::new(e));
            Err(StoreError::Sqlite { operation: "making the file", source })
        }
    }
}

/// Milliseconds since 1970, as they stand in every column of moments.
pub(super) fn timestamp(ms: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(ms).map_err(|_| damaged("a moment", ms))
}

/// A column's text as the type that wrote it.
pub(super) fn parsed<T: std::str::FromStr>(what: &'static str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| damaged(what, text))
}

/// A value as JSON text.
pub(super) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data")
}

/// JSON text as a value.
pub(super) fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| damaged(what, text))
}

/// A way in as text.
pub(super) fn via_text(via: Via) -> &'static str {
    match via {
        Via::Tunnel => "tunnel",
        Via::Bridge => "bridge",
    }
}

/// Text as a way in.
pub(super) fn via(text: &str) -> Result<Via, StoreError> {
    [Via::Tunnel, Via::Bridge].into_iter().find(|v| via_text(*v) == text).ok_or_else(|| damaged("a way in", text))
}

/// Text as a role.
pub(super) fn role(text: &str) -> Result<Role, StoreError> {
    [Role::FrontEnd, Role::Host, Role::Worker]
        .into_iter()
        .find(|r| r.as_str() == text)
        .ok_or_else(|| damaged("a role", text))
}

pub(super) fn damaged(what: &'static str, value: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged { what, value: value.to_string() }
}
