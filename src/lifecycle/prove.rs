//! The front-end's side of a join: what the worker says is not believed until it was seen from here too.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use landbridge_node::icmp::{Echo, Pinger};
use landbridge_node::machine::crash;
use landbridge_node::wire::{Failure, Outcome, Refusal, Stage, StageReport, Via};
use landbridge_pki::NodeName;

use tokio::time::Instant;

use super::admit::internal;
use super::{Roster, RosterError};
use crate::enroll::Peer;
use crate::worker::{FailedAt, Worker, WorkerState};

/// From the worker's last own stage to the canary's end.
const DEADLINE: Duration = Duration::from_mins(1);
/// A job that has not ended by then is sent once more. Healthy ones end within two seconds.
const FIRST_CANARY: Duration = Duration::from_secs(15);
/// For an answer over the vLAN; the slowest path that anybody works over takes a second.
const ANSWER: Duration = Duration::from_secs(5);
/// Before a proof that could not be carried out is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// The queue master has no event for an execution host that reports for the first time.
const PRESENT_EVERY: Duration = Duration::from_millis(50);

impl Roster {
    /// A worker's word about a stage: kept, shown, and, when its own stages are done, taken up from this side.
    pub(super) fn hear(self: &Arc<Self>, peer: &Peer, report: &StageReport) -> Result<(), Refusal> {
        let worker = self.speaker(peer)?;
        if worker.state.was_proved() {
            return self.hear_again(&worker, report);
        }
        let now = Timestamp::now();
        let stored = |e| internal("recording the stage", &e);
        self.store.record_stage(worker.id, report, now).map_err(stored)?;
        self.store.note_seen(worker.id, now).map_err(stored)?;
        let WorkerState::Joining(_) = worker.state else { return Ok(()) };
        match &report.outcome {
            Outcome::Failed(failure) => self.fail(&worker, report.stage, failure).map_err(Refusal::from),
            Outcome::Passed | Outcome::NotNeeded if report.stage == Stage::Queue => {
                self.advance(&worker, WorkerState::Joining(Stage::Canary))?;
                self.start_proving(&worker.name);
                Ok(())
            }
            Outcome::Passed | Outcome::NotNeeded => match next(report.stage) {
                Some(next) => self.advance(&worker, WorkerState::Joining(next)).map(drop).map_err(Refusal::from),
                None => Ok(()),
            },
        }
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

    /// Closes the slots of a worker that was ready and has failed.
    pub(super) fn start_closing(self: &Arc<Self>, name: &NodeName) {
        let (roster, name) = (Arc::clone(self), name.clone());
        self.tasks.spawn(async move {
            if let Err(error) = roster.queue.close(&name).await {
                tracing::error!(%name, error = &error as &dyn std::error::Error, "closing the slots of a failed worker");
            }
        });
    }

    /// Proves in a task of its own, unless one is at it.
    pub(super) fn start_proving(self: &Arc<Self>, name: &NodeName) {
        let Some(claim) = self.claim(name) else { return };
        let (roster, name) = (Arc::clone(self), name.clone());
        self.tasks.spawn(async move {
            while let Err(error) = roster.prove(&name).await {
                tracing::error!(%name, error = &error as &dyn std::error::Error, "proving the worker failed; trying again");
                tokio::time::sleep(AGAIN).await;
            }
            drop(claim);
            // It may have been destroyed meanwhile, or have come to this stage anew: the claim was ours, so nobody else could.
            roster.take_up(&name);
        });
    }

    async fn prove(&self, name: &NodeName) -> Result<(), RosterError> {
        let Some(worker) = self.store.worker(name)? else { return Ok(()) };
        if worker.state != WorkerState::Joining(Stage::Canary) {
            return Ok(());
        }
        let verdict = match tokio::time::timeout(DEADLINE, self.examine(&worker)).await {
            Ok(verdict) => verdict?,
            Err(_) => Err(failure(
                format!("the front-end's proof within {} s", DEADLINE.as_secs()),
                "no end of it".into(),
                "look at the queue master: qhost, qstat -f",
            )),
        };
        // The worker may have left meanwhile; then nobody waits for the verdict.
        let current =
            self.store.worker(name)?.filter(|w| w.id == worker.id && w.state == WorkerState::Joining(Stage::Canary));
        let Some(worker) = current else { return Ok(()) };
        match &verdict {
            Ok(()) if self.store.is_drained(worker.id)? => {
                // A person's decision, which a reboot doesn't take back. That its slots are closed is done once more.
                self.advance(&worker, WorkerState::Draining)?;
                self.note(name, "is proved, and stays drained");
            }
            Ok(()) => {
                self.queue.open(name).await?;
                crash::point();
                self.advance(&worker, WorkerState::Ready)?;
                self.note(name, "is ready");
            }
            Err(failure) => {
                // A crash may have come between opening the slots and the worker's being ready.
                self.queue.close(name).await?;
                self.fail(&worker, Stage::Canary, failure)?;
            }
        }
        self.verdicts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(name.clone(), verdict);
        self.bells.ring(name);
        Ok(())
    }

    async fn examine(&self, worker: &Worker) -> Result<Result<(), Failure>, RosterError> {
        if let Err(failure) = self.answers(worker).await {
            return Ok(Err(failure));
        }
        if worker.via == Via::Tunnel && !self.has_session(&worker.name).await? {
            return Ok(Err(failure(
                format!("a tunnel session of {}", worker.name),
                "none in the tunnel servers' lists".into(),
                "look at /var/log/landbridge/openvpn-*.log",
            )));
        }
        while !self.queue.present(&worker.name).await? {
            tokio::time::sleep(PRESENT_EVERY).await;
        }
        // A job may have been sent to the execution daemon of before the worker's crash, and be lost with it: the queue master
        // keeps that one's connection for a while, even when it was told to forget the host (once in twenty reboots).
        let first = Instant::now();
        match self.queue.canary(&worker.name, FIRST_CANARY).await? {
            Err(_) if first.elapsed() >= FIRST_CANARY => Ok(self.queue.canary(&worker.name, DEADLINE).await?),
            told => Ok(told),
        }
    }

    /// The worker's address answers a packet of the vLAN's full size: the way out and the way back, seen from here.
    async fn answers(&self, worker: &Worker) -> Result<(), Failure> {
        let mtu = self.cluster().vlan.mtu;
        let no_answer = |seen: String| {
            let expected = format!("an answer from {} to a packet of {mtu} bytes", worker.address);
            failure(expected, seen, "look at the worker's link, and at the MTU of every switch between")
        };
        let io = |e: std::io::Error| no_answer(e.to_string());
        let mut pinger = Pinger::new(worker.address, true).map_err(io)?;
        match pinger.ping(mtu.bytes(), Instant::now() + ANSWER).await.map_err(io)? {
            Echo::Answered => Ok(()),
            Echo::Silence => Err(no_answer(format!("none within {} s", ANSWER.as_secs()))),
            Echo::TooLarge => Err(no_answer("the kernel's word that the link here is smaller".into())),
        }
    }

    /// A stage failed: said on both sides, slots stay closed.
    pub(super) fn fail(&self, worker: &Worker, at: impl Into<FailedAt>, failure: &Failure) -> Result<(), RosterError> {
        let at = at.into();
        // A program's last words may be lines; lists have one for each.
        let failure_line = failure.to_string().replace('\n', " | ");
        self.store.note_failure(worker.id, Some(&format!("{failure_line}; {}", failure.remedy)))?;
        self.advance(worker, WorkerState::Failed(at))?;
        self.note(&worker.name, &format!("failed at {at}: {failure_line}"));
        Ok(())
    }

    pub(super) fn advance(&self, worker: &Worker, to: WorkerState) -> Result<bool, RosterError> {
        let advanced = self.store.advance(worker.id, worker.state, to, Timestamp::now())?;
        self.moves.send_modify(|moves| *moves += 1);
        crash::point();
        Ok(advanced)
    }

    pub(super) fn forget_verdict(&self, name: &NodeName) {
        self.verdicts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(name);
    }

    /// What the worker is to hear of its proof. That it is ready is on disk, and so outlives the one who found it.
    pub(super) fn verdict(&self, worker: &Worker) -> Option<Result<(), Failure>> {
        let found = self.verdicts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(&worker.name).cloned();
        found.or_else(|| worker.state.was_proved().then_some(Ok(())))
    }
}

fn next(stage: Stage) -> Option<Stage> {
    Stage::ALL.into_iter().find(|s| *s > stage)
}

fn failure(expected: String, seen: String, remedy: &str) -> Failure {
    Failure { expected, seen, remedy: remedy.into() }
}
