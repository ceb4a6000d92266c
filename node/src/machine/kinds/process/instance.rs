//! A process that runs: who it is, and what it was started with.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use crate::machine::atomic::{self, Attributes};
use crate::machine::command::shown;
use crate::machine::digest::Digest;
use crate::machine::observe::World;
use crate::machine::pidfd::{Identity, PidFd};
use crate::machine::{Children, Key, Place, Process, StepError, stray};
use crate::nice;

/// What a program gets at most when its state goes with it: to say goodbye.
const SOON: Duration = Duration::from_secs(1);

/// Contents by path; `None`: there was no such file.
type Digests = BTreeMap<PathBuf, Option<Digest>>;

/// A running process, as its record in the run directory has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::machine) struct Instance {
    identity: Identity,
    argv: Vec<String>,
    env: Vec<(String, String)>,
    restart_on: Digests,
    reload_on: Digests,
    /// How long it may take to end when it is asked to.
    patience: Duration,
}

impl Instance {
    /// The process of this record, if it still runs.
    pub(in crate::machine) fn running(record: &Path) -> Result<Option<Self>, StepError> {
        let instance = read(record).map_err(StepError::io("reading the process record", record))?;
        let Some(instance) = instance else { return Ok(None) };
        let lives = instance.identity.lives().map_err(StepError::io("looking for the process of", record))?;
        Ok(lives.then_some(instance))
    }

    /// Its id.
    pub(in crate::machine) fn pid(&self) -> i32 {
        self.identity.pid()
    }

    /// Writes down that `identity` now runs for `wanted`.
    pub(super) fn record(place: &Place, wanted: &Process, identity: Identity) -> io::Result<()> {
        let instance = Self {
            identity,
            argv: wanted.argv.clone(),
            env: wanted.env.clone(),
            restart_on: digests(&wanted.restart_on),
            reload_on: digests(&wanted.reload_on),
            patience: wanted.grace.min(wanted.deadline),
        };
        instance.write(&place.process(&wanted.name))
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        atomic::replace(path, &text, Attributes::ours(0o600))
    }

    /// Holds on to the process; `None` when it has ended.
    pub(in crate::machine) fn open(&self) -> io::Result<Option<PidFd>> {
        self.identity.open()
    }

    /// Why it must be started anew, if it must.
    pub(super) fn restart_because(&self, wanted: &Process, world: &World) -> Option<String> {
        if self.argv != wanted.argv {
            return Some(format!("{} => {}", shown(&self.argv), shown(&wanted.argv)));
        }
        if self.env != wanted.env {
            return Some("its environment changed".into());
        }
        changed(&self.restart_on, &wanted.restart_on, world).map(|path| format!("{} changed", path.display()))
    }

    /// The file of which it must be told.
    pub(super) fn reload_because<'a>(&self, wanted: &'a Process, world: &World) -> Option<&'a Path> {
        changed(&self.reload_on, &wanted.reload_on, world)
    }
}

/// From now on a program that [started as batch work](Process::starts_as_batch) is scheduled as others are, with all that it begins.
pub fn schedule_as_usual(place: &Place, process: &str) -> Result<(), StepError> {
    if let Some(instance) = Instance::running(&place.process(process))? {
        nice::as_usual(instance.pid());
    }
    Ok(())
}

/// Ends what runs under this name, and its session with it unless its children go on; twice is once.
pub(super) async fn stop(place: &Place, name: &str, children: Children) -> Result<(), StepError> {
    stop_within(place, name, children, Duration::MAX).await
}

/// Ends what runs under this name with all of its session.
pub(in crate::machine) async fn end(place: &Place, name: &str) -> Result<(), StepError> {
    stop(place, name, Children::End).await
}

/// Ends a program that isn't wanted any more, and whatever it and its predecessors have started; `soon` where its state goes with it.
pub(super) async fn stop_for_good(place: &Place, unwanted: &Process, soon: bool) -> Result<(), StepError> {
    let most = if soon { SOON } else { Duration::MAX };
    stop_within(place, &unwanted.name, unwanted.children, most).await?;
    match unwanted.children {
        Children::End => Ok(()),
        // They are in sessions of programs that nobody remembers.
        Children::GoOn => stray::end(&place.marker(&Key::process(&unwanted.name))).await,
    }
}

async fn stop_within(place: &Place, name: &str, children: Children, most: Duration) -> Result<(), StepError> {
    let path = place.process(name);
    let failed = |cause: io::Error| StepError::new("ending the process", name, cause);
    let Some(instance) = read(&path).map_err(failed)? else { return Ok(()) };
    if let Some(process) = instance.open().map_err(failed)? {
        process.end(instance.patience.min(most)).await.map_err(failed)?;
    }
    if children == Children::End {
        stray::end_session(&place.marker(&Key::process(name)), instance.identity.pid()).await?;
    }
    atomic::remove(&path).map_err(failed)
}

/// Tells it that files have changed.
pub(super) fn reload(place: &Place, wanted: &Process) -> Result<(), StepError> {
    let path = place.process(&wanted.name);
    let failed = |cause: io::Error| StepError::new("reloading the process", &wanted.name, cause);
    let Some(instance) = read(&path).map_err(failed)? else { return Ok(()) };
    // Read before it is told: a file that changes in between is told twice rather than never.
    let told = Instance { reload_on: digests(&wanted.reload_on), ..instance };
    if let Some(process) = told.open().map_err(failed)? {
        process.signal(Signal::HUP).map_err(failed)?;
    }
    told.write(&path).map_err(failed)
}

fn read(path: &Path) -> io::Result<Option<Instance>> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
    }
}

fn digests(paths: &[PathBuf]) -> Digests {
    paths.iter().map(|path| (path.clone(), Digest::of_file(path))).collect()
}

fn changed<'a>(then: &Digests, paths: &'a [PathBuf], world: &World) -> Option<&'a Path> {
    paths.iter().find(|path| then.get(*path) != Some(&world.digest(path))).map(PathBuf::as_path)
}
