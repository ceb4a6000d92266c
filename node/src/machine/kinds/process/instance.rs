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

/// What a program gets at most when its state goes with it.
const SOON: Duration = Duration::from_secs(3);

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
    #[serde(default)]
    children: Children,
}

impl Instance {
    /// The process of this record, if it still runs.
    pub(in crate::machine) fn running(record: &Path) -> Result<Option<Self>, StepError> {
        let instance = read(record).map_err(StepError::io("reading the process record", record))?;
        let Some(instance) = instance else { return Ok(None) };
        let lives = instance.identity.lives().map_err(StepError::io("looking for the process of", record))?;
        Ok(lives.then_some(instance))
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
            children: wanted.children,
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

/// Ends what runs under this name, and whatever it has started; twice is once.
pub(in crate::machine) async fn stop(place: &Place, name: &str) -> Result<(), StepError> {
    stop_within(place, name, Duration::MAX).await
}

/// [`stop`], for a program whose state goes with it.
pub(super) async fn stop_soon(place: &Place, name: &str) -> Result<(), StepError> {
    stop_within(place, name, SOON).await
}

async fn stop_within(place: &Place, name: &str, most: Duration) -> Result<(), StepError> {
    if let Some(instance) = end(place, name, most).await? {
        // Of a program whose children go on, those of its predecessors have other sessions.
        match instance.children {
            Children::End => stray::end_session(&place.marker(&Key::process(name)), instance.identity.pid()).await?,
            Children::GoOn => stray::end(&place.marker(&Key::process(name))).await?,
        }
    }
    forget(place, name)
}

/// Ends what runs under this name so that it can be started anew.
pub(super) async fn make_way(place: &Place, wanted: &Process) -> Result<(), StepError> {
    if wanted.children == Children::End {
        return stop(place, &wanted.name).await;
    }
    end(place, &wanted.name, Duration::MAX).await?;
    forget(place, &wanted.name)
}

/// Ends the program itself; `None` when there is no record of one.
async fn end(place: &Place, name: &str, most: Duration) -> Result<Option<Instance>, StepError> {
    let failed = |cause: io::Error| StepError::new("ending the process", name, cause);
    let Some(instance) = read(&place.process(name)).map_err(failed)? else { return Ok(None) };
    if let Some(process) = instance.open().map_err(failed)? {
        process.end(instance.patience.min(most)).await.map_err(failed)?;
    }
    Ok(Some(instance))
}

fn forget(place: &Place, name: &str) -> Result<(), StepError> {
    atomic::remove(&place.process(name)).map_err(|cause| StepError::new("ending the process", name, cause))
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
