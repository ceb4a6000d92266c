//! One step of a plan, of any kind: keep what is there, do it, undo it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use landbridge_fabric::NetworkJournal;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::kinds::{block, directory, file, mount, network, process, residue, run, sysctl};
use super::{Key, Place, StepError};

/// Where steps happen, and what they have to tell beside their success.
#[derive(Debug)]
pub(super) struct Context {
    pub place: Place,
    pub network: tokio::sync::Mutex<NetworkJournal>,
    notes: Mutex<Vec<String>>,
    hurried: AtomicBool,
}

impl Context {
    pub(super) fn new(place: Place, network: NetworkJournal) -> Self {
        Self { place, network: network.into(), notes: Mutex::default(), hurried: AtomicBool::new(false) }
    }

    /// Something that a person should know although nothing failed.
    pub(super) fn note(&self, note: String) {
        self.notes.lock().expect("nobody panics while noting").push(note);
    }

    /// Whether programs are to end soon rather than cleanly.
    pub(super) fn hurry(&self, hurried: bool) {
        self.hurried.store(hurried, Ordering::Relaxed);
    }

    /// See [`Self::hurry`].
    pub(super) fn is_hurried(&self) -> bool {
        self.hurried.load(Ordering::Relaxed)
    }

    /// The notes since the last time.
    pub(super) fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().expect("nobody panics while noting"))
    }
}

/// A step, and how it is shown.
pub(super) struct Step {
    pub key: Key,
    /// The first one says it all.
    pub lines: Vec<String>,
    pub change: Change,
}

impl Step {
    pub(super) fn new(key: &Key, line: String, change: impl Into<Change>) -> Self {
        Self::with_details(key, vec![line], change)
    }

    pub(super) fn with_details(key: &Key, lines: Vec<String>, change: impl Into<Change>) -> Self {
        Self { key: key.clone(), lines, change: change.into() }
    }

    /// The step in one line.
    pub(super) fn line(&self) -> &str {
        self.lines.first().map_or("", String::as_str)
    }
}

/// Declares the enum of a kind's types, and the conversions into it.
macro_rules! kinds {
    ($(#[$meta:meta])* $name:ident { $($kind:ident($type:ty)),* $(,)? }) => {
        $(#[$meta])*
        pub(super) enum $name { $($kind($type)),* }
        $(impl From<$type> for $name {
            fn from(value: $type) -> Self {
                Self::$kind(value)
            }
        })*
    };
}

kinds! {
    /// What a step changes; everything is decided.
    Change {
        Network(network::Change),
        Directory(directory::Change),
        File(file::Change),
        Block(block::Change),
        Run(run::Change),
        Process(process::Change),
        Mount(mount::Change),
        Residue(residue::Change),
        Sysctl(sysctl::Change),
    }
}

/// What the ledger says of a resource of ours: enough to undo it, whatever later specs know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Record {
    Network(network::Record),
    Directory(directory::Before),
    File(file::Before),
    Block(block::Record),
    Run(run::Record),
    Process(process::Record),
    Mount(mount::Record),
    Residue(residue::Record),
    Sysctl(sysctl::Record),
}

/// How to undo a step, done or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Inverse {
    Network(network::Inverse),
    Directory(directory::Before),
    File(file::Before),
    Block(block::Inverse),
    Run(run::Inverse),
    Process(process::Inverse),
    Mount(mount::Inverse),
    Sysctl(sysctl::Inverse),
    /// Nothing needs to be undone.
    Nothing,
}

/// How to come back from a step, and what the ledger says once it is done.
pub(super) struct Prepared<I, R> {
    pub inverse: I,
    pub after: Option<R>,
}

impl<I, R> Prepared<I, R> {
    fn into<J, S>(self, inverse: impl Fn(I) -> J, record: impl Fn(R) -> S) -> Prepared<J, S> {
        Prepared { inverse: inverse(self.inverse), after: self.after.map(record) }
    }
}

impl Change {
    /// Keeps what is there now and says how to come back to it. Changes nothing that anybody else can see.
    pub(super) fn prepare(&self, context: &Context) -> Result<Prepared<Inverse, Record>, StepError> {
        Ok(match self {
            Self::Network(change) => change.prepare().into(Inverse::Network, Record::Network),
            Self::Directory(change) => change.prepare()?.into(Inverse::Directory, Record::Directory),
            Self::File(change) => change.prepare(context)?.into(Inverse::File, Record::File),
            Self::Block(change) => change.prepare(context)?.into(Inverse::Block, Record::Block),
            Self::Run(change) => change.prepare().into(Inverse::Run, Record::Run),
            Self::Process(change) => change.prepare().into(Inverse::Process, Record::Process),
            Self::Mount(change) => change.prepare()?.into(Inverse::Mount, Record::Mount),
            Self::Residue(change) => Prepared { inverse: Inverse::Nothing, after: change.after().map(Record::Residue) },
            Self::Sysctl(change) => change.prepare().into(Inverse::Sysctl, Record::Sysctl),
        })
    }

    /// Does it.
    pub(super) async fn perform(&self, inverse: &Inverse, context: &Context) -> Result<(), StepError> {
        match (self, inverse) {
            (Self::Network(change), _) => change.perform(context).await,
            (Self::Directory(change), Inverse::Directory(before)) => change.perform(before, context),
            (Self::File(change), _) => change.perform(context),
            (Self::Block(change), Inverse::Block(inverse)) => change.perform(inverse),
            (Self::Run(change), _) => change.perform(context).await,
            (Self::Process(change), _) => change.perform(context).await,
            (Self::Mount(change), Inverse::Mount(inverse)) => change.perform(inverse, context).await,
            (Self::Residue(change), _) => change.perform(),
            (Self::Sysctl(change), _) => change.perform(context),
            (_, inverse) => unreachable!("a step got another step's inverse: {inverse:?}"),
        }
    }
}

impl Inverse {
    /// Undoes the step. Twice is once, and undoing what was not done changes nothing.
    pub(super) async fn undo(&self, context: &Context) -> Result<(), StepError> {
        match self {
            Self::Network(inverse) => inverse.undo(context).await,
            Self::Directory(before) => before.restore(context),
            Self::File(before) => before.restore(context),
            Self::Block(inverse) => inverse.undo(context),
            Self::Run(inverse) => inverse.undo(context).await,
            Self::Process(inverse) => inverse.undo(context).await,
            Self::Mount(inverse) => inverse.undo(context).await,
            Self::Sysctl(inverse) => inverse.undo(),
            Self::Nothing => Ok(()),
        }
    }

    /// What the ledger says after the undo, where it said `before` before the step.
    pub(super) fn after_undo(&self, before: Record) -> Record {
        match (self, before) {
            (Self::Run(_), Record::Run(record)) => Record::Run(record.stale()),
            (_, before) => before,
        }
    }
}

impl Record {
    /// The content in the kept directory that this resource must give back.
    pub(super) fn kept(&self) -> Option<&Digest> {
        match self {
            Self::File(before) => before.kept(),
            _ => None,
        }
    }

    /// After everything was undone: the step that sets a program to work again, or tells it of files that are as before.
    pub(super) fn reinstate(&self, key: &Key, place: &Place) -> Result<Option<Step>, StepError> {
        match self {
            Self::Run(record) => Ok(record.reinstate(key)),
            Self::Process(record) => record.reinstate(key, place),
            _ => Ok(None),
        }
    }
}

/// Mode and user, old => new, as far as they differ.
pub(super) fn attributes(old: (u32, u32), new: (u32, u32)) -> String {
    let mode = (old.0 != new.0).then(|| format!("mode {:04o} => {:04o}", old.0, new.0));
    let user = (old.1 != new.1).then(|| format!("owner {} => {}", old.1, new.1));
    mode.into_iter().chain(user).collect::<Vec<_>>().join(", ")
}
