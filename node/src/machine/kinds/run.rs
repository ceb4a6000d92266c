//! Commands that make files from files.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::residue::remove_tree;
use crate::machine::command::{Command, shown};
use crate::machine::digest::Digest;
use crate::machine::observe::{Node, World};
use crate::machine::step::{Context, Prepared, Step};
use crate::machine::{Input, Key, Run, StepError, stray};

/// What a run depended on when it ran. `None`: there was no such file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    /// `None`: a text, which is known by its hash alone.
    path: Option<PathBuf>,
    digest: Option<Digest>,
}

/// A run of ours: enough to run it again, and to take it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::machine) struct Record {
    name: String,
    argv: Vec<String>,
    env: Vec<(String, String)>,
    directory: PathBuf,
    undo: Vec<String>,
    deadline: Duration,
    outputs: Vec<PathBuf>,
    /// Of the outputs, those that were there before the first run.
    stood: Vec<PathBuf>,
    inputs: Vec<Stamp>,
    /// Its outputs may come from other inputs than these.
    stale: bool,
}

/// How to undo a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::machine) struct Inverse {
    name: String,
    /// The run that must be taken back; `None` for one that had run before: what it made can't be given back, only made again.
    first: Option<Record>,
    /// Outputs that the step brings.
    new: Vec<PathBuf>,
}

/// A step.
pub(in crate::machine) enum Change {
    Run { record: Record, first: bool },
    TakeBack(Record),
}

/// Plans a run that is wanted.
pub(in crate::machine) fn want(key: &Key, wanted: &Run, record: Option<&Record>, world: &mut World) -> Option<Step> {
    let stood = |path: &PathBuf| *world.node(path) != Node::Missing;
    let new = Record {
        name: wanted.name.clone(),
        argv: wanted.argv.clone(),
        env: wanted.env.clone(),
        directory: wanted.directory.clone(),
        undo: wanted.undo.clone(),
        deadline: wanted.deadline,
        outputs: wanted.outputs.clone(),
        stood: record.map_or_else(
            || wanted.outputs.iter().filter(|path| stood(path)).cloned().collect(),
            |record| record.stood.clone(),
        ),
        inputs: wanted.inputs.iter().map(|input| Stamp::of(input, world)).collect(),
        stale: false,
    };
    let line = match record {
        None => format!("+ {key}: {}", shown(&wanted.argv)),
        Some(old) => format!("~ {key}: {}", why_again(old, &new, wanted, world)?),
    };
    for output in &wanted.outputs {
        // Whatever depends on it runs again too: what it will be, nobody knows yet.
        world.set_node(output, Node::Other);
    }
    Some(Step::new(key, line, Change::Run { record: new, first: record.is_none() }))
}

/// Plans the end of a run.
pub(in crate::machine) fn unwant(key: &Key, record: &Record, world: &mut World) -> Step {
    for path in record.ours() {
        world.set_node(path, Node::Missing);
    }
    Step::new(key, format!("- {key}"), Change::TakeBack(record.clone()))
}

fn why_again(old: &Record, new: &Record, wanted: &Run, world: &World) -> Option<String> {
    if old.stale {
        return Some("what it depends on was changed back".into());
    }
    if !is_same(&old.argv, &new.argv) || (&old.env, &old.directory) != (&new.env, &new.directory) {
        return Some(format!("{} => {}", shown(&old.argv), shown(&new.argv)));
    }
    if let Some(missing) = new.outputs.iter().find(|path| *world.node(path) == Node::Missing) {
        return Some(format!("{} is missing", missing.display()));
    }
    let changed = new.inputs.iter().find(|input| !old.inputs.contains(input));
    match changed {
        Some(Stamp { path: Some(path), .. }) => Some(format!("{} changed", path.display())),
        Some(Stamp { path: None, .. }) => Some("what it is told changed".into()),
        None if old.inputs.len() != new.inputs.len() => Some("it depends on less than before".into()),
        None => (!holds(wanted)).then(|| "what it did is not so any more".into()),
    }
}

/// A program that has moved is the same: it would do what it did.
fn is_same(old: &[String], new: &[String]) -> bool {
    let name = |argv: &[String]| Path::new(argv.first()?).file_name().map(ToOwned::to_owned);
    name(old) == name(new) && old.iter().skip(1).eq(new.iter().skip(1))
}

/// Whether what it did is still so, as far as that is asked. A program that isn't there says no: the run will say why.
fn holds(wanted: &Run) -> bool {
    let Some((program, arguments)) = wanted.holds.split_first() else { return true };
    let asked = std::process::Command::new(program)
        .args(arguments)
        .current_dir(&wanted.directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

impl Stamp {
    fn of(input: &Input, world: &World) -> Self {
        match input {
            Input::Text(text) => Self { path: None, digest: Some(Digest::of(text.as_bytes())) },
            Input::Path(path) => Self { path: Some(path.clone()), digest: world.digest(path) },
        }
    }

    /// The same input as it is now.
    fn now(&self) -> Self {
        let digest = match &self.path {
            Some(path) => Digest::of_file(path),
            None => self.digest.clone(),
        };
        Self { path: self.path.clone(), digest }
    }
}

impl Change {
    /// The inverse, and the record with the inputs as the steps before have left them.
    pub(in crate::machine) fn prepare(&self) -> Prepared<Inverse, Record> {
        match self {
            Self::TakeBack(record) => {
                Prepared { inverse: Inverse { name: record.name.clone(), first: None, new: vec![] }, after: None }
            }
            Self::Run { record, first } => {
                let missing = |path: &&PathBuf| path.symlink_metadata().is_err();
                let inverse = Inverse {
                    name: record.name.clone(),
                    first: first.then(|| record.clone()),
                    new: record.outputs.iter().filter(missing).cloned().collect(),
                };
                let inputs = record.inputs.iter().map(Stamp::now).collect();
                Prepared { inverse, after: Some(Record { inputs, ..record.clone() }) }
            }
        }
    }

    /// Does it.
    pub(in crate::machine) async fn perform(&self, context: &Context) -> Result<(), StepError> {
        match self {
            Self::Run { record, .. } => record.run(&record.argv, "running", context).await?,
            Self::TakeBack(record) => return record.take_back(context).await,
        }
        self.demand_outputs()
    }

    fn demand_outputs(&self) -> Result<(), StepError> {
        let Self::Run { record, .. } = self else { return Ok(()) };
        match record.outputs.iter().find(|path| path.symlink_metadata().is_err()) {
            Some(missing) => {
                let why = format!("it succeeded, but there is no {}", missing.display());
                Err(StepError::refused("running", &record.name, why))
            }
            None => Ok(()),
        }
    }
}

impl Record {
    async fn run(&self, argv: &[String], operation: &'static str, context: &Context) -> Result<(), StepError> {
        let command = Command {
            argv: argv.to_vec(),
            env: self.env.clone(),
            directory: self.directory.clone(),
            deadline: self.deadline,
            marker: context.place.marker(&Key::run(&self.name)),
            log: context.place.log_of(&self.name),
        };
        command.run().await.map_err(|cause| StepError::new(operation, &self.name, cause))
    }

    async fn take_back(&self, context: &Context) -> Result<(), StepError> {
        if !self.undo.is_empty() {
            self.run(&self.undo, "taking back", context).await?;
        }
        self.ours().try_for_each(|path| remove_tree(path).map_err(StepError::io("removing", path)))
    }

    fn ours(&self) -> impl Iterator<Item = &Path> {
        self.outputs.iter().filter(|path| !self.stood.contains(path)).map(PathBuf::as_path)
    }

    /// The same, not to be relied on.
    pub(in crate::machine) fn stale(self) -> Self {
        Self { stale: true, ..self }
    }

    /// The step that runs it again, if it must be.
    pub(in crate::machine) fn reinstate(&self, key: &Key) -> Option<Step> {
        let record = Self { stale: false, ..self.clone() };
        self.stale.then(|| Step::new(key, format!("~ {key}"), Change::Run { record, first: false }))
    }
}

impl Inverse {
    /// Ends the run if a crash of ours left it alone, and removes what it brought.
    pub(in crate::machine) async fn undo(&self, context: &Context) -> Result<(), StepError> {
        stray::end(&context.place.marker(&Key::run(&self.name))).await?;
        if let Some(record) = &self.first {
            record.take_back(context).await?;
        }
        self.new.iter().try_for_each(|path| remove_tree(path).map_err(StepError::io("removing", path)))
    }
}
