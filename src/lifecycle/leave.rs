//! Leaving: a step is on disk before it runs, every step may run twice, and the last one proves that nothing is left.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Span, Timestamp, ToSpan as _};
use landbridge_node::icmp::{Echo, Pinger};
use landbridge_node::machine::crash;
use landbridge_node::wire::{Failure, Stage, Via};
use landbridge_pki::NodeName;
use landbridge_pki::authority::{AuthorityError, Revocation};

use tokio::time::Instant;

use super::{Roster, RosterError};
use crate::provider::{Machine, MachineState};
use crate::worker::{LeaveStep, Worker, WorkerState};

/// Grid Engine has no event for a job's end that a stranger could await.
const JOBS_EVERY: Duration = Duration::from_millis(500);
/// A worker that hasn't undone its part by then is cut off as it is.
const UNDO_DEADLINE: Duration = Duration::from_secs(45);
/// A worker that was not heard of for this long won't undo anything. Its agent asks for orders every half minute.
const SILENCE: SignedDuration = SignedDuration::from_secs(75);
/// For an answer to a ping, and the pause between two.
const ANSWER: Duration = Duration::from_secs(2);
/// A worker that leaves and was asked in vain this often is dead.
const DEATHS: u32 = 3;
/// What ping(8) sends.
const SMALL: u32 = 84;
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
                roster.troubled(&name, "a step of its leaving failed", &error);
                tokio::time::sleep(AGAIN).await;
            }
            roster.untroubled(&name);
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
            LeaveStep::Close => {
                self.unprepared(worker.id);
                self.queue.close(name).await?;
            }
            LeaveStep::Wait => self.jobs_done(worker).await?,
            LeaveStep::Undo => {
                // None is left after waiting for them; one that goes at once loses them here, while it can still end them.
                self.queue.evict(name).await?;
                self.undone(worker).await;
            }
            LeaveStep::Cut => self.cut(worker).await?,
            LeaveStep::Dequeue => self.queue.remove(name).await?,
            LeaveStep::Release => self.store.release(worker.id, quarantine(), Timestamp::now())?,
            // Machines that we did not boot are not ours to destroy: they have no record.
            LeaveStep::Destroy => {
                if let Some(record) = self.machine(worker.id)? {
                    self.destroy_machine(&record).await?;
                }
            }
            LeaveStep::Prove => self.nothing_left(worker).await?,
        }
        Ok(())
    }

    /// Waits until no job runs there, until the worker is told to go at once, or until it is dead or has left: nobody would ever
    /// tell the queue of its jobs' end.
    pub(super) async fn jobs_done(&self, worker: &Worker) -> Result<(), RosterError> {
        while self.queue.running(&worker.name).await? > 0 && !self.goodbyes.is_said(worker.id) {
            tokio::time::sleep(JOBS_EVERY).await;
            let Some(now) = self.store.worker(&worker.name)?.filter(|w| w.state == worker.state) else { break };
            if is_silent(&now) && matches!(worker.state, WorkerState::Leaving(_)) && !self.answers_at_all(&now).await {
                self.note(&worker.name, "is dead: its jobs are not waited for");
                break;
            }
        }
        Ok(())
    }

    /// Tells the worker to undo its part and waits for its word. A worker that never came, or is silent, isn't waited for.
    async fn undone(&self, worker: &Worker) {
        let name = &worker.name;
        if is_silent(worker) {
            return self.note(name, "is silent: it is cut off without having unmounted");
        }
        if self.is_locked_out(name) {
            return self.note(name, "is locked out already, and can't be told to unmount");
        }
        let word = self.goodbyes.expect(worker.id);
        self.bells.ring(name);
        tokio::select! {
            () = word => {}
            () = self.dead(worker) => self.note(name, "answers no more: it is cut off without having unmounted"),
            () = tokio::time::sleep(UNDO_DEADLINE) => self.note(name, "did not say goodbye in time: it is cut off as it is"),
        }
    }

    /// Ends when the worker's address has answered nothing for a while. It keeps its address until it has said goodbye.
    async fn dead(&self, worker: &Worker) {
        let mut silent = 0;
        while silent < DEATHS {
            silent = if self.answers_at_all(worker).await { 0 } else { silent + 1 };
            tokio::time::sleep(ANSWER).await;
        }
    }

    /// Whether the machine is there. When it can't be asked it is believed to be.
    async fn answers_at_all(&self, worker: &Worker) -> bool {
        let Ok(mut pinger) = Pinger::new(worker.address, false) else { return true };
        let echo = pinger.ping(SMALL, Instant::now() + ANSWER).await;
        !matches!(echo, Ok(Echo::Silence))
    }

    /// Whether no certificate of it is good any more, so that the API would not listen to it.
    fn is_locked_out(&self, name: &NodeName) -> bool {
        let current = self.with_authority(|authority| authority.register().current(name, Timestamp::now()));
        current.is_ok_and(|certificate| certificate.is_none())
    }

    /// A worker has undone its part, on orders or because a person said so on its machine. That is on disk before it hears that
    /// it may end: nobody asks it again after a crash.
    pub(super) fn hear_goodbye(self: &Arc<Self>, worker: &Worker) -> Result<(), RosterError> {
        match worker.state {
            WorkerState::Leaving(LeaveStep::Undo) => {
                self.advance(worker, WorkerState::Leaving(LeaveStep::Cut))?;
            }
            WorkerState::Leaving(_) => {}
            _ => {
                self.fail(worker, Stage::Link, &left_by_itself(&worker.name))?;
                self.start_closing(&worker.name);
            }
        }
        self.goodbyes.hear(worker.id);
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

    /// Revokes whatever certificates a machine has; one that never joined has none. Its token first: it would be good for
    /// another from the same key.
    pub(super) fn lock_out(&self, name: &NodeName) -> Result<(), RosterError> {
        self.store.void_token(name)?;
        let what = Revocation::Name(name.clone());
        match self.with_authority(|authority| authority.register_mut().revoke(&what, Timestamp::now())) {
            Ok(_) | Err(AuthorityError::UnknownName(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn nothing_left(&self, worker: &Worker) -> Result<(), RosterError> {
        let gone = |what| RosterError::NotNow { name: worker.name.clone(), state: "leaving".into(), why: what };
        // Whoever prepared the front-end for it while it began to leave may have been slower than the steps before this one.
        if self.queue.known().await?.contains(&worker.name) {
            self.queue.remove(&worker.name).await?;
            return Err(gone("the queue still knew it"));
        }
        if worker.via == Via::Tunnel && self.tunnel.admitted()?.contains(&worker.name) {
            self.tunnel.cut(&worker.name).await?;
            return Err(gone("the tunnel server still admitted it"));
        }
        if self.has_machine(worker).await? {
            return Err(gone("its host still has something of its machine"));
        }
        // Hosts files and maps have no room for one in this step.
        self.follow.follow().await.map_err(RosterError::Follow)?;
        self.note(&worker.name, "is gone");
        self.advance(worker, WorkerState::Gone)?;
        self.bells.ring(&worker.name);
        self.bells.forget(&worker.name);
        self.goodbyes.forget(worker.id);
        Ok(())
    }
}

impl Roster {
    /// Whether a host on which a machine was asked for still has something of it. One that gave it up before the worker went
    /// elsewhere has said so already: it need not be there any more.
    async fn has_machine(&self, worker: &Worker) -> Result<bool, RosterError> {
        let records = self.store.machines_of(worker.id)?;
        let newest = records.iter().map(|record| record.attempt).max();
        for record in records.iter().filter(|record| record.asked.is_some()) {
            match self.has_machine_on(&record.host, worker).await {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(_) if record.destroyed.is_some() && Some(record.attempt) != newest => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    async fn has_machine_on(&self, host: &NodeName, worker: &Worker) -> Result<bool, RosterError> {
        let maker = self.maker(host)?;
        let stays = |m: &Machine| !matches!(m.state, MachineState::Stopping | MachineState::Gone);
        let machines = maker.provider.machines().await?;
        let leftovers = maker.provider.leftovers().await?;
        Ok(machines.iter().any(|m| m.launch.worker_id == worker.id && stays(m))
            || leftovers.iter().any(|left| left.worker_id == Some(worker.id)))
    }
}

fn left_by_itself(name: &NodeName) -> Failure {
    Failure {
        expected: "this worker on the vLAN".into(),
        seen: "it has left (landbridge-node leave on its machine)".into(),
        remedy: format!("landbridge worker destroy {name} forgets it"),
    }
}

/// Whether it was not heard of for so long that it won't undo anything.
fn is_silent(worker: &Worker) -> bool {
    worker.seen.is_none_or(|at| Timestamp::now().duration_since(at) >= SILENCE)
}
