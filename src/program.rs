//! `landbridge-node` as the front-end has it, to be given to other machines.

use std::io;
use std::path::{Path, PathBuf};

use axum::body::Bytes;
use ring::digest::{SHA256, digest};

/// The program's file name.
const NAME: &str = "landbridge-node";

/// Where it lies when it doesn't lie beside `landbridge`.
const ELSEWHERE: [&str; 2] = ["/usr/lib/landbridge", "/usr/libexec/landbridge"];

/// The program, read once.
#[derive(Clone, Debug)]
pub struct NodeProgram {
    /// Its bytes.
    pub bytes: Bytes,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}

/// It isn't there, or can't be read.
#[derive(Debug, thiserror::Error)]
#[error("{} can't be read: {source}", path.display())]
pub struct ProgramError {
    /// Where it should be.
    path: PathBuf,
    /// What the kernel said.
    source: io::Error,
}

impl NodeProgram {
    /// The one beside our own program, else an installed one. The error tells of the first place.
    pub fn find() -> Result<Self, ProgramError> {
        let own = std::env::current_exe().map_err(|source| ProgramError { path: NAME.into(), source })?;
        let beside = own.with_file_name(NAME);
        let elsewhere = ELSEWHERE.iter().map(|directory| Path::new(directory).join(NAME));
        match Self::read(&beside) {
            Err(error) => elsewhere.map(|path| Self::read(&path)).find_map(Result::ok).ok_or(error),
            found => found,
        }
    }

    /// The one at this path.
    pub fn read(path: &Path) -> Result<Self, ProgramError> {
        let bytes = std::fs::read(path).map_err(|source| ProgramError { path: path.into(), source })?;
        let sha256 = digest(&SHA256, &bytes).as_ref().try_into().expect("SHA-256 has 32 bytes");
        Ok(Self { bytes: bytes.into(), sha256 })
    }
}
