//! What a worker says of its join: kept, shown, and taken up from this side.

use std::sync::Arc;

use jiff::Timestamp;
use landbridge_node::machine::crash;
use landbridge_node::wire::{Failure, Outcome, Refusal, Stage, StageNews, StageReport};
use landbridge_pki::NodeName;

use super::admit::internal;
use super::prove::AGAIN;
use super::{Roster, RosterError};
use crate::enroll::Peer;
use crate::store::StoreError;
use crate::worker::{FailedAt, Worker, WorkerState};

/// The stages that a worker goes through side by side.
const TOGETHER: [Stage; 5] = [Stage::Address, Stage::Mtu, Stage::Nfs, Stage::Nis, Stage::Queue];

impl Roster {
    /// A worker's word about its stages, and what a canary job has left there.
    pub(super) fn hear(self: &Arc<Self>, peer: &Peer, news: &StageNews) -> Result<(), Refusal> {
        for report in &news.stages {
            self.hear_stage(peer, report)?;
        }
        if let Some(text) = &news.word {
            self.hear_word(peer.name(), text);
        }
        Ok(())
    }

    fn hear_stage(self: &Arc<Self>, peer: &Peer, report: &StageReport) -> Result<(), Refusal> {
        let worker = self.speaker(peer)?;
        if worker.state.was_proved() {
            return self.hear_again(&worker, report);
        }
        let now = Timestamp::now();
        let stored = |e| internal("recording the stage", &e);
        self.store.record_stage(worker.id, report, now).map_err(stored)?;
        self.store.note_seen(worker.id, now).map_err(stored)?;
        let WorkerState::Joining(_) = worker.state else { return Ok(()) };
        if let Outcome::Failed(failure) = &report.outcome {
            return self.fail(&worker, report.stage, failure).map_err(Refusal::from);
        }
        let Some(next) = self.next(&worker, report.stage).map_err(stored)? else { return Ok(()) };
        if worker.state != WorkerState::Joining(next) {
            self.advance(&worker, WorkerState::Joining(next))?;
        }
        // The queue needs neither home nor users, so that its proof begins beside them.
        if report.stage == Stage::Queue || next == Stage::Canary {
            self.start_proving(&worker.name);
        }
        Ok(())
    }

    /// A proved worker that joins once more, or its last report of the join that proved it: that join's timeline stays,
    /// unless a stage fails now. Then no more jobs start.
    fn hear_again(self: &Arc<Self>, worker: &Worker, report: &StageReport) -> Result<(), Refusal> {
        let now = Timestamp::now();
        let stored = |e| internal("recording the stage", &e);
        self.store.note_seen(worker.id, now).map_err(stored)?;
        let known = self.store.timeline(worker.id).map_err(stored)?;
        if matches!(report.outcome, Outcome::Failed(_)) || known.iter().all(|row| row.report.stage != report.stage) {
            self.store.record_stage(worker.id, report, now).map_err(stored)?;
        }
        let Outcome::Failed(failure) = &report.outcome else { return Ok(()) };
        self.fail(worker, report.stage, failure)?;
        self.start_closing(&worker.name);
        Ok(())
    }

    /// The stage that the worker is at when it has passed this one: of those side by side the first that it has not passed.
    fn next(&self, worker: &Worker, passed: Stage) -> Result<Option<Stage>, StoreError> {
        if !TOGETHER.contains(&passed) {
            return Ok(Stage::ALL.into_iter().find(|stage| *stage > passed));
        }
        let known = self.store.timeline(worker.id)?;
        let has_passed = |stage: &Stage| known.iter().any(|row| row.report.stage == *stage && is_good(&row.report));
        Ok(TOGETHER.into_iter().find(|stage| !has_passed(stage)).or(Some(Stage::Canary)))
    }

    /// What follows from a person's having revoked a machine's certificates: a host is of the segment no more; a worker's session
    /// is ended, and it counts as failed, whether or not its session could be ended. Twice is once.
    pub async fn shut_out(self: &Arc<Self>, name: &NodeName) -> Result<(), RosterError> {
        if self.store.hosts()?.iter().any(|host| host.name == *name && host.enrolled.is_some()) {
            return self.forget_host(name).await.map(drop);
        }
        // In this order: after a crash between the two it is ready still, and is found.
        let cut = self.cut_session(name).await;
        crash::point();
        self.locked_out(name)?;
        cut
    }

    /// A worker whose certificates a person has revoked is no worker any more, whatever it says.
    fn locked_out(self: &Arc<Self>, name: &NodeName) -> Result<(), RosterError> {
        let Some(worker) = self.store.worker(name)? else { return Ok(()) };
        if matches!(worker.state, WorkerState::Joining(_)) || worker.state.was_proved() {
            let failure = Failure {
                expected: "a certificate that counts".into(),
                seen: "it is revoked".into(),
                remedy: format!(
                    "landbridge worker destroy {name} forgets it; landbridge token create --name {name} lets it join again"
                ),
            };
            self.fail(&worker, Stage::Identity, &failure)?;
            self.start_closing(name);
        }
        Ok(())
    }

    /// Closes the slots of a worker that was ready and has failed, however long the queue master is away.
    pub(super) fn start_closing(self: &Arc<Self>, name: &NodeName) {
        let (roster, name) = (Arc::clone(self), name.clone());
        self.tasks.spawn(async move {
            while let Err(error) = roster.close_failed(&name).await {
                tracing::error!(%name, error = &error as &dyn std::error::Error, "closing the slots of a failed worker");
                // This is what starts a queue master that has ended.
                if let Err(error) = roster.follow.follow().await {
                    tracing::error!(%name, error, "the front-end is not as it should be");
                }
                tokio::time::sleep(AGAIN).await;
            }
        });
    }

    async fn close_failed(&self, name: &NodeName) -> Result<(), RosterError> {
        match self.store.worker(name)? {
            Some(worker) if matches!(worker.state, WorkerState::Failed(_)) => Ok(self.queue.close(name).await?),
            _ => Ok(()),
        }
    }

    /// A stage failed: said on both sides, slots stay closed.
    pub(super) fn fail(&self, worker: &Worker, at: impl Into<FailedAt>, failure: &Failure) -> Result<(), RosterError> {
        let at = at.into();
        // A program's last words may be lines; lists have one for each.
        let failure_line = failure.to_string().replace('\n', " | ");
        self.store.note_failure(worker.id, Some(&format!("{failure_line}; {}", failure.remedy)))?;
        self.unprepared(worker.id);
        self.advance(worker, WorkerState::Failed(at))?;
        self.note(&worker.name, &format!("failed at {at}: {failure_line}"));
        Ok(())
    }

    pub(super) fn advance(&self, worker: &Worker, to: WorkerState) -> Result<bool, RosterError> {
        let advanced = self.store.advance(worker.id, worker.state, to, Timestamp::now())?;
        self.moves.send_modify(|moves| *moves += 1);
        self.steps.ring(&worker.name);
        crash::point();
        Ok(advanced)
    }
}

fn is_good(report: &StageReport) -> bool {
    !matches!(report.outcome, Outcome::Failed(_))
}
