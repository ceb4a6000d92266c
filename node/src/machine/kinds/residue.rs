//! What programs of ours leave behind.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::machine::observe::{Node, World};
use crate::machine::step::Step;
use crate::machine::{Key, Residue, StepError};

/// Whether something stood there before us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::machine) struct Record {
    path: PathBuf,
    stood: bool,
}

/// A step.
pub(in crate::machine) enum Change {
    Expect(Record),
    Remove(Record),
}

/// Plans a residue that is expected.
pub(in crate::machine) fn want(key: &Key, wanted: &Residue, record: Option<&Record>, world: &World) -> Option<Step> {
    if record.is_some() {
        return None;
    }
    let record = Record { path: wanted.path.clone(), stood: *world.node(&wanted.path) != Node::Missing };
    let fate = if record.stood { "was there before, stays" } else { "goes when everything is undone" };
    Some(Step::new(key, format!("+ {key} ({fate})"), Change::Expect(record)))
}

/// Plans the end of a residue.
pub(in crate::machine) fn unwant(key: &Key, record: &Record, world: &mut World) -> Step {
    if !record.stood {
        world.set_node(&record.path, Node::Missing);
    }
    Step::new(key, format!("- {key}"), Change::Remove(record.clone()))
}

impl Change {
    /// What the ledger says once it is done. There is no inverse: programs leave it again.
    pub(in crate::machine) fn after(&self) -> Option<Record> {
        match self {
            Self::Expect(record) => Some(record.clone()),
            Self::Remove(_) => None,
        }
    }

    /// Does it.
    pub(in crate::machine) fn perform(&self) -> Result<(), StepError> {
        match self {
            Self::Remove(Record { path, stood: false }) => remove_tree(path).map_err(StepError::io("removing", path)),
            Self::Expect(_) | Self::Remove(_) => Ok(()),
        }
    }
}

/// Removes a file, link or whole directory; what is missing is fine.
pub(in crate::machine) fn remove_tree(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(()),
        Err(error) => Err(error),
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    }
}
