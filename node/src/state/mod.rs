//! What a node remembers, on disk.

mod document;
mod identity;
mod lock;
mod replace;
#[cfg(test)]
mod tests;

pub use document::{Attachment, Timeline};
pub use identity::Member;
pub use lock::{Lock, LockError, Work};

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::paths::Paths;

/// A node's memory.
#[derive(Clone, Debug)]
pub struct State {
    paths: Paths,
}

impl State {
    /// Opens it, and makes its directory (0700) when there is none.
    pub fn open(paths: Paths) -> Result<Self, StateError> {
        make_directory(&paths.state)?;
        Ok(Self { paths })
    }

    /// Where it lies.
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Forgets who the machine was. The lock and the machine's ledger stay.
    pub fn wipe(&self) -> Result<(), StateError> {
        let p = &self.paths;
        let files = [p.identity(), p.key(), p.next_key(), p.bundle(), p.attachment(), p.timeline(), p.order()];
        for file in files {
            replace::remove(&file)?;
        }
        Ok(())
    }
}

fn make_directory(path: &Path) -> Result<(), StateError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(StateError::io("making", path))
}

/// The node's memory can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file system said no.
    #[error("{operation} {}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The text is not what we write.
    #[error("{} is damaged; `landbridge-node leave` and a new token give this machine a new start", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// How.
        source: serde_json::Error,
    },
    /// No private key fits the certificate.
    #[error("no private key in {} fits this machine's certificate; it must join anew, with a new token", .0.display())]
    KeyLost(PathBuf),
    /// A key could not be made or read.
    #[error("this machine's private key can't be used")]
    Key(#[from] landbridge_pki::KeyError),
    /// The certificate could not be read.
    #[error("this machine's certificate can't be read")]
    Certificate(#[from] landbridge_pki::FactsError),
}

impl StateError {
    pub(crate) fn io(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { operation, path, source }
    }
}
