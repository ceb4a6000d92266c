//! Leaving: a step is on disk before it runs, every step may run twice, and the last one proves that nothing is left.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Span, Timestamp, ToSpan as _};
use landbridge_node::machine::crash;
use landbridge_node::wire::Via;
use landbridge_pki::NodeName;
use landbridge_pki::authority::{AuthorityError, Revocation};

use super::{Roster, RosterError};
use crate::worker::{LeaveStep, Worker, WorkerState};

/// Grid Engine has no event for a job's end that a stranger could await.
const JOBS_EVERY: Duration = Duration::from_millis(500);
/// A worker that hasn't undone its part by then is cut off as it is.
const UNDO_DEADLINE: Duration = Duration::from_secs(45);
/// A worker that was not heard of for this long won't undo anything. Its agent asks for orders every half minute.
const SILENCE: SignedDuration = SignedDuration::from_secs(75);
/// Before a step that failed is tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// How long an address rests, so that nobody's ARP cache or mount still means the old worker.
pub fn quarantine() -> Span {
    10.minutes()
}

impl Roster {
    /// Goes on with a worker's leaving in a task of its own, unless one is at it.
    pub(super) fn start_leaving(self: &Arc<Self>, name: &NodeName) {
        let Some(claim) = self.claim(name) else { return };
        let (roster, name) = (Arc::clone(self), name.clone());
        self.tasks.spawn(async move {
            while let Err(error) = roster.leave(&name).await {
                tracing::error!(%name, error = &error as &dyn std::error::Error, "a step of leaving failed; trying again");
                tokio::time::sleep(AGAIN).await;
            }
            drop(claim);
        });
    }

    async fn leave(&self, name: &NodeName) -> Result<(), RosterError> {
        while let Some(worker) = self.store.worker(name)? {
            let WorkerState::Leaving(step) = worker.state else { return Ok(()) };
            self.take(&worker, step).await?;
            let to = step.next().map_or(WorkerState::Gone, WorkerState::Leaving);
            crash::point();
            self.advance(&worker, to)?;
        }
        Ok(())
    }

    async fn take(&self, worker: &Worker, step: LeaveStep) -> Result<(), RosterError> {
        let name = &worker.name;
        match step {
            LeaveStep::Close => self.queue.close(name).await?,
            LeaveStep::Wait => self.jobs_done(worker).await?,
            LeaveStep::Undo => self.undone(worker).await,
            LeaveStep::Cut => self.cut(worker).await?,
            LeaveStep::Dequeue => self.queue.remove(name).await?,
            LeaveStep::Release => self.store.release(worker.id, quarantine(), Timestamp::now())?,
            // Machines that we did not boot are not ours to destroy.
            LeaveStep::Destroy => {}
            LeaveStep::Prove => self.nothing_left(worker).await?,
        }
        Ok(())
    }

    /// Waits until no job runs there, or until the worker is told to go at once.
    pub(super) async fn jobs_done(&self, worker: &Worker) -> Result<(), RosterError> {
        while self.queue.running(&worker.name).await? > 0 {
            tokio::time::sleep(JOBS_EVERY).await;
            if self.store.worker(&worker.name)?.is_none_or(|w| w.state != worker.state) {
                break;
            }
        }
        Ok(())
    }

    /// Tells the worker to undo its part and waits for its word. A worker that never came, or is silent, isn't waited for.
    async fn undone(&self, worker: &Worker) {
        let heard = worker.seen.is_some_and(|at| Timestamp::now().duration_since(at) < SILENCE);
        if !heard {
            return self.note(&worker.name, "is silent: it is cut off without having unmounted");
        }
        let word = self.goodbyes.expect(&worker.name);
        self.bells.ring(&worker.name);
        if tokio::time::timeout(UNDO_DEADLINE, word).await.is_err() {
            self.note(&worker.name, "did not say goodbye in time: it is cut off as it is");
        }
    }

    /// A worker has undone its part. That is on disk before it hears that it may end: nobody asks it again after a crash.
    pub(super) fn hear_goodbye(&self, worker: &Worker) -> Result<(), RosterError> {
        if worker.state == WorkerState::Leaving(LeaveStep::Undo) {
            self.advance(worker, WorkerState::Leaving(LeaveStep::Cut))?;
        }
        self.goodbyes.hear(&worker.name);
        Ok(())
    }

    /// Refused from now on, and the live session ended.
    async fn cut(&self, worker: &Worker) -> Result<(), RosterError> {
        self.lock_out(&worker.name)?;
        crash::point();
        if worker.via == Via::Tunnel {
            self.tunnel.cut(&worker.name).await?;
        }
        self.note(&worker.name, "is cut off: its certificates are revoked");
        Ok(())
    }

    /// Revokes whatever certificates a machine has; one that never joined has none.
    pub(super) fn lock_out(&self, name: &NodeName) -> Result<(), RosterError> {
        let what = Revocation::Name(name.clone());
        match self.with_authority(|authority| authority.register_mut().revoke(&what, Timestamp::now())) {
            Ok(_) | Err(AuthorityError::UnknownName(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn nothing_left(&self, worker: &Worker) -> Result<(), RosterError> {
        let gone = |what| RosterError::NotNow { name: worker.name.clone(), state: "leaving".into(), why: what };
        if self.queue.known().await?.contains(&worker.name) {
            return Err(gone("the queue still knows it"));
        }
        if worker.via == Via::Tunnel && self.tunnel.admitted()?.contains(&worker.name) {
            return Err(gone("the tunnel server still admits it"));
        }
        // Hosts files and maps have no room for one in this step.
        self.follow.follow().await.map_err(RosterError::Follow)?;
        self.advance(worker, WorkerState::Gone)?;
        self.bells.ring(&worker.name);
        self.bells.forget(&worker.name);
        self.note(&worker.name, "is gone");
        Ok(())
    }
}
