//! The services' stages, side by side: none of them needs another.

use std::cell::Cell;
use std::time::SystemTime;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::journey::{Journey, StageFailed};
use super::nfs::knock;
use super::stages::{is_needed, resources};
use super::{Worker, nfs, nis, people, queue};
use crate::machine::{Beside, ConvergeError, MachineSpec};
use crate::names;
use crate::state::State;
use crate::wire::{Failure, Stage};
use crate::words;

/// Whether the servers are there at all, asked while something else is proved.
#[derive(Debug)]
pub(super) struct Doors {
    nfs: Option<JoinHandle<Result<(), String>>>,
    queue: Option<JoinHandle<Result<(), String>>>,
}

impl Doors {
    /// Knocks at each.
    pub(super) fn knock(worker: &Worker) -> Self {
        let Worker { bundle, .. } = worker;
        Self {
            nfs: bundle.nfs.as_ref().map(|nfs| tokio::spawn(knock(nfs::server(nfs)))),
            queue: bundle.queue.as_ref().map(|queue| tokio::spawn(knock(queue::master(queue, worker)))),
        }
    }
}

async fn opened(door: Option<JoinHandle<Result<(), String>>>) -> Result<(), String> {
    match door {
        Some(door) => door.await.unwrap_or_else(|_| Err("the look at it was cut short".into())),
        None => Ok(()),
    }
}

/// What the stages share.
pub(super) struct Services<'a> {
    /// Where stages are timed and told.
    pub(super) journey: &'a Journey,
    /// The machine that each adds its part to.
    pub(super) machine: Beside<'a>,
    /// The machine's memory.
    pub(super) state: &'a State,
    /// Who it becomes.
    pub(super) worker: &'a Worker,
    /// Set when anything on the machine had to be changed.
    pub(super) changed: &'a Cell<bool>,
}

impl Services<'_> {
    /// Runs the stages to the end of each, and tells of the first that failed. The queue's takes longest and begins first.
    pub(super) async fn all(&self, doors: Doors) -> Result<(), StageFailed> {
        self.journey.line_up(&[Stage::Nfs, Stage::Nis, Stage::Queue]);
        for stage in [Stage::Nfs, Stage::Nis, Stage::Queue] {
            if !is_needed(stage, &self.worker.bundle) {
                self.journey.not_needed(stage);
            }
        }
        let (ready, names) = oneshot::channel();
        let (queue, nfs, nis) = tokio::join!(self.queue(doors.queue, names), self.nfs(doors.nfs), self.nis(ready));
        nfs.and(nis).and(queue)
    }

    async fn nfs(&self, door: Option<JoinHandle<Result<(), String>>>) -> Result<(), StageFailed> {
        let Some(bundle) = &self.worker.bundle.nfs else { return Ok(()) };
        let work = async |until| {
            opened(door).await.map_err(|seen| nfs::unreached(bundle, seen))?;
            self.extend(Stage::Nfs).await.map_err(|error| nfs::explain(bundle, &error))?;
            nfs::prove(bundle, until).await
        };
        self.journey.stage(Stage::Nfs, work).await
    }

    /// Says when programs that begin from now on will find people.
    async fn nis(&self, ready: oneshot::Sender<()>) -> Result<(), StageFailed> {
        let Some(bundle) = &self.worker.bundle.nis else { return Ok(()) };
        let name = self.worker.name.as_str();
        let work = async |until| {
            names::take(self.state, name, Some(&bundle.domain))
                .map_err(|error| words::local(&format!("the NIS domain {}", bundle.domain), &error))?;
            self.make(&people::resources(bundle)).await.map_err(|error| nis::explain(&error))?;
            let _ = ready.send(());
            let before = SystemTime::now() - nis::GRAIN;
            let changed = self.extend(Stage::Nis).await.map_err(|error| nis::explain(&error))?;
            nis::prove(bundle, changed.then_some(before), until).await
        };
        self.journey.stage(Stage::Nis, work).await
    }

    /// The proof is the front-end's: the execution daemon listens when it has registered.
    async fn queue(
        &self,
        door: Option<JoinHandle<Result<(), String>>>,
        names: oneshot::Receiver<()>,
    ) -> Result<(), StageFailed> {
        let Some(bundle) = &self.worker.bundle.queue else { return Ok(()) };
        let work = async |_| -> Result<(), Failure> {
            opened(door).await.map_err(|seen| queue::unreached(bundle, self.worker, seen))?;
            let anew = queue::end_if_cut_off(self.machine, bundle, self.worker).await;
            anew.map_err(|error| words::local("an execution daemon that finds its queue master", &error))?;
            // An error: there is no domain, or its stage has failed, which is told.
            let _ = names.await;
            self.extend(Stage::Queue).await.map(drop).map_err(|error| queue::explain(self.worker, &error))
        };
        self.journey.stage(Stage::Queue, work).await
    }

    async fn extend(&self, stage: Stage) -> Result<bool, ConvergeError> {
        self.make(&resources(stage, self.worker)).await
    }

    /// Whether anything had to be changed.
    async fn make(&self, part: &MachineSpec) -> Result<bool, ConvergeError> {
        let changed = !self.machine.extend(part).await?.done.is_empty();
        self.changed.set(self.changed.get() || changed);
        Ok(changed)
    }
}
