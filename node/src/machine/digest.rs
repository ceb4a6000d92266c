//! Contents compared by their hash.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

/// SHA-256 in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Digest(String);

impl Digest {
    /// Of bytes at hand.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self::hex(ring::digest::digest(&SHA256, bytes).as_ref())
    }

    /// Of a file's content; `None` when it can't be read.
    pub(super) fn of_file(path: &Path) -> Option<Self> {
        File::open(path).and_then(Self::read).ok()
    }

    /// Of everything that is left to read.
    pub(super) fn read(mut source: impl Read) -> io::Result<Self> {
        let mut context = Context::new(&SHA256);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match source.read(&mut buffer)? {
                0 => return Ok(Self::hex(context.finish().as_ref())),
                n => context.update(&buffer[..n]),
            }
        }
    }

    fn hex(bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(String::with_capacity(bytes.len() * 2), |hex, byte| hex + &format!("{byte:02x}")))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
