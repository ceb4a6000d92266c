//! The front-end's side of a join: what the worker says is not believed until it was seen from here too.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use landbridge_node::icmp::{Echo, Pinger};
use landbridge_node::machine::crash;
use landbridge_node::wire::{Failure, Stage, Via};
use landbridge_pki::NodeName;
use tokio::time::{Instant, timeout};

use super::{Roster, RosterError};
use crate::scheduler::{SchedulerError, Word};
use crate::worker::{Worker, WorkerState};

/// From the execution daemon's start to the canary's end.
const DEADLINE: Duration = Duration::from_mins(1);
/// Of that, what is left to ask the queue why the canary has not ended.
const WHY: Duration = Duration::from_secs(5);
/// For an answer over the vLAN. The slowest path that anybody works over takes a second; a front-end at which a hundred workers
/// arrive at once takes longer.
const ANSWER: Duration = Duration::from_secs(20);
/// Before something that could not be carried out is tried again.
pub(super) const AGAIN: Duration = Duration::from_secs(1);
/// The queue master has no event for an execution host that reports for the first time.
const PRESENT_EVERY: Duration = Duration::from_millis(20);

impl Roster {
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
        let Some(worker) = self.store.worker(name)?.filter(|worker| is_in_proof(worker.state)) else { return Ok(()) };
        let verdict = tokio::select! {
            verdict = timeout(DEADLINE, self.examine(&worker)) => verdict,
            // It has failed or left, or its machine was started anew: nobody waits for the verdict.
            gone = self.until(&worker, |state| !is_in_proof(state)) => return gone.map(drop),
        };
        self.words.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        let verdict = match verdict {
            Ok(verdict) => verdict?,
            Err(_) => Err(failure(
                format!("the front-end's proof within {} s", DEADLINE.as_secs()),
                "no end of it".into(),
                "look at the queue master: qhost, qstat -f",
            )),
        };
        // Some of its own stages may still be under way.
        let last = WorkerState::Joining(Stage::Canary);
        let worker = self.until(&worker, |state| state == last || !is_in_proof(state)).await?;
        let Some(worker) = worker.filter(|worker| worker.state == last) else { return Ok(()) };
        self.conclude(&worker, &verdict).await?;
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), verdict);
        self.bells.ring(name);
        Ok(())
    }

    async fn conclude(&self, worker: &Worker, verdict: &Result<(), Failure>) -> Result<(), RosterError> {
        let name = &worker.name;
        match verdict {
            Ok(()) if self.store.is_drained(worker.id)? => {
                // A person's decision, which a reboot doesn't take back. That its slots are closed is done once more.
                self.advance(worker, WorkerState::Draining)?;
                self.note(name, "is proved, and stays drained");
            }
            Ok(()) => {
                self.queue.open(name).await?;
                crash::point();
                self.advance(worker, WorkerState::Ready)?;
                self.note(name, "is ready");
            }
            Err(failure) => {
                // A crash may have come between opening the slots and the worker's being ready.
                self.queue.close(name).await?;
                self.fail(worker, Stage::Canary, failure)?;
            }
        }
        Ok(())
    }

    /// Waits until the worker's state is as wanted; `None` when it is another worker's by then.
    async fn until(
        &self,
        worker: &Worker,
        wanted: impl Fn(WorkerState) -> bool,
    ) -> Result<Option<Worker>, RosterError> {
        let mut step = self.steps.now(&worker.name);
        loop {
            let Some(now) = self.store.worker(&worker.name)?.filter(|now| now.id == worker.id) else { return Ok(None) };
            if wanted(now.state) {
                return Ok(Some(now));
            }
            step = self.steps.wait(&worker.name, step).await;
        }
    }

    async fn examine(&self, worker: &Worker) -> Result<Result<(), Failure>, RosterError> {
        let (answers, canary) = tokio::join!(self.answers(worker), self.canary(worker));
        if let Err(failure) = answers {
            return Ok(Err(failure));
        }
        if worker.via == Via::Tunnel && !self.has_session(&worker.name).await? {
            return Ok(Err(failure(
                format!("a tunnel session of {}", worker.name),
                "none in the tunnel servers' lists".into(),
                "look at /var/log/landbridge/openvpn-*.log",
            )));
        }
        canary
    }

    /// A job with a word of its own, which comes back through the worker when its own stages have passed.
    async fn canary(&self, worker: &Worker) -> Result<Result<(), Failure>, RosterError> {
        let until = Instant::now() + DEADLINE - WHY;
        tokio::try_join!(self.queue.make_way(&worker.name), self.present(&worker.name))?;
        let word = Arc::new(Word::new());
        self.words.lock().unwrap_or_else(PoisonError::into_inner).insert(worker.name.clone(), Arc::clone(&word));
        Ok(self.queue.canary(&worker.name, &word, until - Instant::now()).await?)
    }

    async fn present(&self, name: &NodeName) -> Result<(), SchedulerError> {
        while !self.queue.present(name).await? {
            tokio::time::sleep(PRESENT_EVERY).await;
        }
        Ok(())
    }

    /// Something that a canary job has left on a worker.
    pub(super) fn hear_word(&self, name: &NodeName, text: &str) {
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(expected) = words.get(name) {
            expected.hear(text);
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

    pub(super) fn forget_verdict(&self, name: &NodeName) {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// What the worker is to hear of its proof. That it is ready is on disk, and so outlives the one who found it.
    pub(super) fn verdict(&self, worker: &Worker) -> Option<Result<(), Failure>> {
        let found = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner).get(&worker.name).cloned();
        found.or_else(|| worker.state.was_proved().then_some(Ok(())))
    }
}

/// Whether the proof may be under way: its link is there, and what follows it is being proved, or the worker itself.
fn is_in_proof(at: WorkerState) -> bool {
    matches!(at, WorkerState::Joining(stage) if stage > Stage::Link)
}

fn failure(expected: String, seen: String, remedy: &str) -> Failure {
    Failure { expected, seen, remedy: remedy.into() }
}
