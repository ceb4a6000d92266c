//! What was made on this machine, in order, and which steps are under way: on disk before it is so in the world.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use landbridge_fabric::{EntryId, Journal, State};
use serde::{Deserialize, Serialize};

use super::step::{Inverse, Record};
use super::{Key, LedgerError, journal, kept};

/// A resource of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Made {
    pub key: Key,
    pub record: Record,
}

/// One step as the journal has it: once it is done, the ledger says `after` of `key`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Unlike all others.
    serial: u64,
    pub key: Key,
    /// Orders resources by their making.
    rank: u64,
    before: Option<Record>,
    after: Option<Record>,
    pub inverse: Inverse,
}

/// What was made, and what is under way.
#[derive(Debug)]
pub(super) struct Ledger {
    journal: Journal<Entry>,
    kept: PathBuf,
}

impl Ledger {
    /// Reads the ledger; a missing one is empty.
    pub(super) async fn open(path: &Path, kept: PathBuf) -> Result<Self, LedgerError> {
        let journal = journal::open(path).await?;
        Ok(Self { journal, kept })
    }

    /// Everything of ours in the order in which it was made.
    pub(super) fn made(&self) -> Vec<Made> {
        self.ranked().into_iter().map(|(_, made)| made).collect()
    }

    /// Steps that were begun and not ended, oldest first.
    pub(super) fn interrupted(&self) -> Vec<(EntryId, Entry)> {
        self.journal.pending().map(|(id, entry)| (id, entry.clone())).collect()
    }

    /// Journals how to undo a step. The step may run only after this has succeeded.
    pub(super) fn begin(
        &mut self,
        key: &Key,
        inverse: Inverse,
        after: Option<Record>,
    ) -> Result<(EntryId, Entry), LedgerError> {
        let made = self.ranked();
        let next = made.last().map_or(0, |(rank, _)| rank + 1);
        let found = made.into_iter().find(|(_, made)| made.key == *key);
        let (rank, before) = found.map_or((next, None), |(rank, made)| (rank, Some(made.record)));
        self.enter(Entry { serial: self.serial(), key: key.clone(), rank, before, after, inverse })
    }

    /// Journals that a step is about to be undone. Doing that is a step too, with the same inverse.
    pub(super) fn begin_undo(&mut self, step: &Entry) -> Result<(EntryId, Entry), LedgerError> {
        let after = step.before.clone().map(|before| step.inverse.after_undo(before));
        self.enter(Entry { serial: self.serial(), before: after.clone(), after, ..step.clone() })
    }

    /// Journals that a step has happened.
    pub(super) fn done(&mut self, id: EntryId) -> Result<(), LedgerError> {
        Ok(self.journal.done(id)?)
    }

    /// Journals that a step has been undone.
    pub(super) fn forget(&mut self, id: EntryId) -> Result<(), LedgerError> {
        Ok(self.journal.undone(id)?)
    }

    /// Forgets how to undo the steps that are done. Nothing is written when there is nothing to forget.
    pub(super) fn settle(&mut self) -> Result<(), LedgerError> {
        self.journal.sync()?;
        let last: BTreeMap<&Key, &Entry> = self.done_steps().map(|(_, entry)| (&entry.key, entry)).collect();
        let keep: BTreeSet<u64> =
            last.values().filter(|entry| entry.after.is_some()).map(|entry| entry.serial).collect();
        if self.done_steps().all(|(_, entry)| keep.contains(&entry.serial)) || self.journal.pending().next().is_some() {
            return Ok(());
        }
        self.journal.compact(|entry| keep.contains(&entry.serial))?;
        let wanted = self.made().iter().filter_map(|made| made.record.kept()).map(ToString::to_string).collect();
        kept::sweep(&wanted, &self.kept).map_err(|source| LedgerError::Kept { path: self.kept.clone(), source })
    }

    fn enter(&mut self, entry: Entry) -> Result<(EntryId, Entry), LedgerError> {
        let ids = self.journal.begin([entry.clone()])?;
        Ok((*ids.first().expect("a number for the one entry"), entry))
    }

    fn ranked(&self) -> Vec<(u64, Made)> {
        let mut last: BTreeMap<&Key, &Entry> = BTreeMap::new();
        last.extend(self.done_steps().map(|(_, entry)| (&entry.key, entry)));
        let made =
            |entry: &Entry| entry.after.clone().map(|record| (entry.rank, Made { key: entry.key.clone(), record }));
        let mut ranked: Vec<_> = last.into_values().filter_map(made).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked
    }

    fn serial(&self) -> u64 {
        self.journal.entries().map(|(_, _, entry)| entry.serial + 1).max().unwrap_or(0)
    }

    fn done_steps(&self) -> impl Iterator<Item = (EntryId, &Entry)> {
        self.journal.entries().filter(|(_, state, _)| *state == State::Done).map(|(id, _, entry)| (id, entry))
    }
}
