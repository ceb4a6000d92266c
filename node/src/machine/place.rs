//! Where a machine's engine keeps what it must remember.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use landbridge_fabric::Owner;

use super::{Key, atomic};
use crate::paths::remove_if_empty;

/// Whose machine it is, and the engine's own directories. They are made when missing and belong to the engine alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The tag on everything that is made.
    pub owner: Owner,
    /// The ledger, and what must be given back. Must survive a reboot. Made 0700.
    pub state: PathBuf,
    /// Which processes run. Needn't survive a reboot.
    pub run: PathBuf,
    /// What programs print.
    pub log: PathBuf,
}

impl Place {
    /// Makes the directories that are missing.
    pub(super) fn make(&self) -> io::Result<()> {
        let private = |path: &Path| std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        let public = |path: &Path| std::fs::DirBuilder::new().recursive(true).mode(0o755).create(path);
        private(&self.state)?;
        private(&self.kept())?;
        public(&self.run)?;
        public(&self.log)
    }

    /// Removes what [`Place::make`] and the engine have made, but not the logs; the lock, which must be held, last.
    pub(super) fn remove(&self) -> io::Result<()> {
        std::fs::remove_dir_all(self.kept())?;
        for file in [self.ledger(), self.network(), self.lock()] {
            atomic::remove(&file)?;
        }
        remove_if_empty(&self.state)?;
        remove_if_empty(&self.run)
    }

    /// What was made, and the steps that are under way.
    pub(super) fn ledger(&self) -> PathBuf {
        self.state.join("ledger")
    }

    /// The network crate's own journal.
    pub(super) fn network(&self) -> PathBuf {
        self.state.join("network")
    }

    /// Files of others, to be given back.
    pub(super) fn kept(&self) -> PathBuf {
        self.state.join("kept")
    }

    /// Held by the one process that may change the machine.
    pub(super) fn lock(&self) -> PathBuf {
        self.state.join("lock")
    }

    /// The record of a process of ours.
    pub(super) fn process(&self, name: &str) -> PathBuf {
        self.run.join(format!("{name}.process"))
    }

    /// Where a program's output goes.
    pub(super) fn log_of(&self, name: &str) -> PathBuf {
        self.log.join(format!("{name}.log"))
    }

    /// The value of [`MARKER`](super::command::MARKER) in the environment of a program of ours.
    pub(super) fn marker(&self, key: &Key) -> String {
        format!("{}:{key}", self.owner)
    }
}
