//! A machine that came to nothing: its console is kept, it is destroyed, and its worker says where it failed.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use landbridge_node::machine::crash;
use landbridge_node::wire::{Failure, Via};

use super::Roster;
use super::tempo::Pause;
use crate::lifecycle::RosterError;
use crate::store::{MachineNews, MachineRecord};
use crate::worker::{FailedAt, Worker, WorkerState};

impl Roster {
    /// The worker has failed there, and its machine goes. A worker that has failed at a stage already keeps that word.
    pub(super) async fn give_up(
        &self,
        worker: &Worker,
        record: &MachineRecord,
        at: FailedAt,
        failure: &Failure,
    ) -> Result<(), RosterError> {
        if !matches!(worker.state, WorkerState::Failed(_)) {
            self.fail(worker, at, failure)?;
        }
        self.discard(worker, record).await
    }

    /// Ends a failed worker's machine, and keeps its console: it can't join any more, and nothing else of it is left. Repeats
    /// until that is so, or until the worker is taken away by a person, which does the same.
    pub(super) async fn discard(&self, worker: &Worker, record: &MachineRecord) -> Result<(), RosterError> {
        self.keep_console(record).await;
        let mut pause = Pause::new(self.tempo.again);
        while let Err(error) = self.end(worker, record).await {
            self.troubled(&worker.name, "its machine is still there", &error);
            tokio::time::sleep(pause.grow()).await;
            let now = self.store.worker(&worker.name)?.filter(|now| now.id == worker.id);
            if !now.is_some_and(|now| matches!(now.state, WorkerState::Failed(_))) {
                break;
            }
        }
        self.untroubled(&worker.name);
        Ok(())
    }

    async fn end(&self, worker: &Worker, record: &MachineRecord) -> Result<(), RosterError> {
        self.lock_out(&worker.name)?;
        crash::point();
        if worker.via == Via::Tunnel {
            self.tunnel.cut(&worker.name).await?;
        }
        // Its name and address stay its own for as long as its record does; in the queue it would only be a ghost.
        self.queue.remove(&worker.name).await?;
        self.destroy_machine(record).await?;
        self.note(&worker.name, "its machine is destroyed");
        Ok(())
    }

    /// Nothing is left of the machine afterwards, and it takes no part of its host.
    pub(in crate::lifecycle) async fn destroy_machine(&self, record: &MachineRecord) -> Result<(), RosterError> {
        // One that nobody was asked for is nowhere.
        if record.asked.is_some() {
            self.maker(&record.host)?.provider.destroy(&self.launch(record)).await?;
            crash::point();
        }
        self.store.note_machine(record.worker_id, record.attempt, &MachineNews::Destroyed, Timestamp::now())?;
        crash::point();
        Ok(())
    }

    /// Discards in a task of its own, unless somebody is at the worker.
    pub(super) fn start_giving_up(
        self: &Arc<Self>,
        worker: &Worker,
        record: &MachineRecord,
        failed: Option<(FailedAt, Failure)>,
    ) {
        let Some(claim) = self.claim(&worker.name) else { return };
        let (roster, worker, record) = (Arc::clone(self), worker.clone(), record.clone());
        self.tasks.spawn(async move {
            let done = match failed {
                Some((at, failure)) => roster.give_up(&worker, &record, at, &failure).await,
                None => roster.discard(&worker, &record).await,
            };
            if let Err(error) = done {
                tracing::error!(worker = %worker.name, error = &error as &dyn std::error::Error, "giving it up failed");
            }
            drop(claim);
            roster.take_up(&worker.name);
        });
    }

    /// Keeps what the machine wrote to its console, as far as it can be had; what was kept before it was ended stays.
    async fn keep_console(&self, record: &MachineRecord) {
        if record.console.is_some() || record.asked.is_none() {
            return;
        }
        if let Err(error) = self.console_to_file(record).await {
            tracing::warn!(worker = %record.worker, error = &error as &dyn std::error::Error, "its console was not kept");
        }
    }

    async fn console_to_file(&self, record: &MachineRecord) -> Result<(), RosterError> {
        let console = self.maker(&record.host)?.provider.console(&self.launch(record)).await?;
        let Some(text) = console else { return Ok(()) };
        let path = self.paths.consoles().join(self.launch(record).name());
        write_private(&path, &text).map_err(|source| RosterError::Console { path: path.clone(), source })?;
        let news = MachineNews::Console(path.display().to_string());
        Ok(self.store.note_machine(record.worker_id, record.attempt, &news, Timestamp::now())?)
    }

    /// What a worker's machine wrote to its console: as its host has it, else as it was kept.
    pub async fn console(&self, worker: &Worker) -> Result<Option<String>, RosterError> {
        let Some(record) = self.store.machines_of(worker.id)?.pop() else { return Ok(None) };
        if record.destroyed.is_none() && record.asked.is_some() {
            return Ok(self.maker(&record.host)?.provider.console(&self.launch(&record)).await?);
        }
        let Some(path) = record.console.map(PathBuf::from) else { return Ok(None) };
        std::fs::read_to_string(&path).map(Some).map_err(|source| RosterError::Console { path, source })
    }
}

/// Only root reads it: a console may show what a machine was told.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
