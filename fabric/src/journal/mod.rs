//! An append-only journal: what is about to be done is on disk, with what undoes it, before it is done.
//!
//! One JSON value a line: `{"begin":1,"entry":…}`, then `{"done":1}` or `{"undone":1}`. A crash leaves entries that are
//! begun and neither done nor undone ([`Journal::pending`]); a torn last line is as if it had never been written.

mod disk;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use self::disk::JournalError;
use self::disk::{failure, replace, sync_directory};

/// Which entry: rises with each one begun.
pub type EntryId = u64;

/// What is known of an entry. One that was undone is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Begun: it may have happened or not.
    Begun,
    /// It has happened.
    Done,
}

/// The journal. It is locked for as long as it is open: one writer.
#[derive(Debug)]
pub struct Journal<E> {
    /// `None` for one that is only in memory.
    file: Option<(File, PathBuf)>,
    entries: BTreeMap<EntryId, (State, E)>,
    next: EntryId,
    bytes: u64,
    /// Whether the file's name is known to be on disk.
    named: bool,
    /// Whether something was written since the last sync.
    dirty: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Record<E> {
    Begin {
        begin: EntryId,
        entry: E,
    },
    Done {
        done: EntryId,
    },
    Undone {
        undone: EntryId,
    },
    /// After compaction: numbers below are used up.
    Next {
        next: EntryId,
    },
}

impl<E: Serialize + DeserializeOwned> Journal<E> {
    /// Opens the journal, making it (0600) when it isn't there, and reads what it knows.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let path = path.as_ref().to_path_buf();
        let failed = |operation| failure(operation, &path);
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).mode(0o600).open(&path).map_err(failed("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::Busy { path }),
            Err(TryLockError::Error(source)) => return Err(failed("lock")(source)),
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(failed("read"))?;
        let mut journal = Self::in_memory();
        journal.bytes = journal.replay(&text, &path)?;
        if journal.bytes < text.len() as u64 {
            file.set_len(journal.bytes).map_err(failed("cut the torn end of"))?;
            file.seek(SeekFrom::End(0)).map_err(failed("cut the torn end of"))?;
        }
        journal.file = Some((file, path));
        Ok(journal)
    }

    /// A journal that is forgotten with the process: for tests, and for trying out.
    pub fn in_memory() -> Self {
        Self { file: None, entries: BTreeMap::new(), next: 1, bytes: 0, named: false, dirty: false }
    }

    /// Writes down what is about to happen, all of it in one go, and returns when it is on disk.
    pub fn begin(&mut self, entries: impl IntoIterator<Item = E>) -> Result<Vec<EntryId>, JournalError> {
        let entries: BTreeMap<EntryId, E> = (self.next..).zip(entries).collect();
        let records: Vec<_> = entries.iter().map(|(id, entry)| Record::Begin { begin: *id, entry }).collect();
        if records.is_empty() {
            return Ok(Vec::new());
        }
        self.append(&records)?;
        self.sync()?;
        let ids: Vec<_> = entries.keys().copied().collect();
        self.next += ids.len() as u64;
        self.entries.extend(entries.into_iter().map(|(id, entry)| (id, (State::Begun, entry))));
        Ok(ids)
    }

    /// Marks an entry as having happened. It reaches the disk with the next [`Self::sync`]: a mark that is lost with the
    /// power only makes [`Self::pending`] name the entry again.
    pub fn done(&mut self, id: EntryId) -> Result<(), JournalError> {
        self.append(&[Record::<&E>::Done { done: id }])?;
        if let Some((state, _)) = self.entries.get_mut(&id) {
            *state = State::Done;
        }
        Ok(())
    }

    /// Marks an entry as not having happened, or as undone, and forgets it. Reaches the disk as [`Self::done`] does.
    pub fn undone(&mut self, id: EntryId) -> Result<(), JournalError> {
        self.append(&[Record::<&E>::Undone { undone: id }])?;
        self.entries.remove(&id);
        Ok(())
    }

    /// Returns when everything is on disk. Costs nothing when it is.
    pub fn sync(&mut self) -> Result<(), JournalError> {
        let Some((file, path)) = self.file.as_ref().filter(|_| self.dirty) else { return Ok(()) };
        file.sync_data().map_err(failure("sync", path))?;
        // Whoever made the file may have crashed before its name was on disk.
        if !self.named {
            sync_directory(path)?;
        }
        (self.named, self.dirty) = (true, false);
        Ok(())
    }

    /// What was begun and is neither done nor undone, oldest first.
    pub fn pending(&self) -> impl Iterator<Item = (EntryId, &E)> {
        self.entries().filter(|(_, state, _)| *state == State::Begun).map(|(id, _, entry)| (id, entry))
    }

    /// Everything that is known, oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = (EntryId, State, &E)> {
        self.entries.iter().map(|(id, (state, entry))| (*id, *state, entry))
    }

    /// The file's size.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Forgets what is done and not kept, and writes the file anew (atomically, by a rename). Pending entries stay, and
    /// every entry keeps its number.
    pub fn compact(&mut self, keep: impl Fn(&E) -> bool) -> Result<(), JournalError> {
        self.entries.retain(|_, (state, entry)| *state == State::Begun || keep(entry));
        let Some((_, path)) = &self.file else { return Ok(()) };
        let path = path.clone();
        let mut text = Vec::new();
        encode(&mut text, &Record::<&E>::Next { next: self.next });
        for (id, (state, entry)) in &self.entries {
            encode(&mut text, &Record::Begin { begin: *id, entry });
            if *state == State::Done {
                encode(&mut text, &Record::<&E>::Done { done: *id });
            }
        }
        let file = replace(&path, &text).map_err(failure("compact", &path))?;
        sync_directory(&path)?;
        (self.named, self.dirty) = (true, false);
        self.bytes = text.len() as u64;
        self.file = Some((file, path));
        Ok(())
    }

    /// Takes over what `text` says; returns how much of it is whole.
    fn replay(&mut self, text: &[u8], path: &Path) -> Result<u64, JournalError> {
        let mut whole = 0;
        for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let last = whole + line.len() == text.len();
            match serde_json::from_slice::<Record<E>>(line) {
                Ok(record) if line.ends_with(b"\n") => self.replay_record(record),
                _ if last => break,
                Ok(_) => unreachable!("only the last line lacks its end"),
                Err(source) => {
                    return Err(JournalError::Damaged { path: path.to_path_buf(), line: index + 1, source });
                }
            }
            whole += line.len();
        }
        Ok(whole as u64)
    }

    fn replay_record(&mut self, record: Record<E>) {
        let id = match record {
            Record::Begin { begin, entry } => {
                self.entries.insert(begin, (State::Begun, entry));
                begin
            }
            Record::Done { done } => {
                if let Some((state, _)) = self.entries.get_mut(&done) {
                    *state = State::Done;
                }
                done
            }
            Record::Undone { undone } => {
                self.entries.remove(&undone);
                undone
            }
            Record::Next { next } => next - 1,
        };
        self.next = self.next.max(id + 1);
    }

    fn append<T: Serialize>(&mut self, records: &[Record<T>]) -> Result<(), JournalError> {
        let Some((file, path)) = &mut self.file else { return Ok(()) };
        let mut text = Vec::new();
        for record in records {
            encode(&mut text, record);
        }
        self.dirty = true;
        if let Err(source) = file.write_all(&text) {
            // Half a line in the middle would be damage: take it back.
            let _ = file.set_len(self.bytes);
            return Err(failure("write", path)(source));
        }
        self.bytes += text.len() as u64;
        Ok(())
    }
}

fn encode<T: Serialize>(text: &mut Vec<u8>, record: &Record<T>) {
    serde_json::to_writer(&mut *text, record).expect("an entry with string keys only is JSON");
    text.push(b'\n');
}
