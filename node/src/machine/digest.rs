//! Contents compared by their hash.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

/// Files of more than this are programs: nothing that is written by us comes near it.
const LARGE_BYTES: u64 = 8 << 20;

/// SHA-256 in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Digest(String);

impl Digest {
    /// Of bytes at hand.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self::hex(ring::digest::digest(&SHA256, bytes).as_ref())
    }

    /// Of a file that something is made from; `None` when it can't be read.
    pub(super) fn of_file(path: &Path) -> Option<Self> {
        File::open(path).and_then(Self::of_open).ok()
    }

    /// Of a file's content. A program is known by its number, size and time, one of which changes with whoever replaces or writes
    /// it: reading all of it would be most of what a look at an unchanged machine costs.
    pub(super) fn of_open(file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if metadata.len() <= LARGE_BYTES {
            return Self::read(file);
        }
        let (number, size) = ((metadata.dev(), metadata.ino()), metadata.len());
        Ok(Self::of(format!("{number:?} {size} {}.{}", metadata.mtime(), metadata.mtime_nsec()).as_bytes()))
    }

    fn read(mut source: impl Read) -> io::Result<Self> {
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_program_that_was_replaced_is_another_one_and_a_small_file_is_its_content() {
        let dir = tempfile::tempdir().expect("a directory");
        let of = |path: &Path| Digest::of_file(path).expect("a readable file");
        for (name, bytes, is_another) in [("program", LARGE_BYTES + 1, true), ("small", 5, false)] {
            let (path, next) = (dir.path().join(name), dir.path().join("next"));
            let content = vec![7; usize::try_from(bytes).expect("a few")];
            fs::write(&path, &content).expect("written");
            let before = of(&path);
            assert_eq!(of(&path), before, "nothing has happened");
            fs::write(&next, &content).expect("written");
            fs::rename(&next, &path).expect("replaced");
            assert_eq!(of(&path) != before, is_another, "{name}");
        }
    }
}
