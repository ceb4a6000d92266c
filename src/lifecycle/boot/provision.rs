//! From a record to a machine that its provider has accepted.

use std::sync::Arc;

use jiff::Timestamp;
use landbridge_node::machine::crash;
use landbridge_node::wire::Failure;
use landbridge_pki::NodeName;

use super::Roster;
use super::plan::token_expires;
use super::tempo::Pause;
use crate::lifecycle::RosterError;
use crate::lifecycle::token::FreshSecret;
use crate::provider::{FailureKind, Left, Machine, MachineState, Order, Provider, ProviderError};
use crate::store::{MachineNews, MachineRecord};
use crate::worker::{FailedAt, Worker, WorkerState};

/// So often a worker's machine is begun on a host before it has failed.
const ATTEMPTS: usize = 3;

/// What a try knows that is not on disk.
#[derive(Default)]
struct Try {
    /// The token's; lost in a crash.
    secret: Option<FreshSecret>,
    /// Whether the front-end has been prepared.
    prepared: bool,
    /// What the last try came to, in words; nothing yet.
    last: Option<String>,
}

/// What follows a step.
pub(super) enum Then {
    /// The next one.
    Next,
    /// The same, after a pause.
    Again,
    /// Nothing: the worker has a machine, has failed, or is leaving.
    Done,
}

impl Roster {
    /// Gives a worker its machine in a task of its own, unless one is at it. Without the token's secret it goes on after a crash.
    pub(in crate::lifecycle) fn start_provisioning(self: &Arc<Self>, name: &NodeName, secret: Option<FreshSecret>) {
        let Some(claim) = self.claim(name) else { return };
        let (roster, name) = (Arc::clone(self), name.clone());
        self.tasks.spawn(async move {
            roster.provision(&name, Try { secret, ..Try::default() }).await;
            drop(claim);
            // It may have come to its last stage, or have been destroyed, while the claim was ours.
            roster.take_up(&name);
        });
    }

    async fn provision(&self, name: &NodeName, mut this: Try) {
        let mut pause = Pause::new(self.tempo.again);
        loop {
            match self.step(name, &mut this).await {
                Ok(Then::Done) => return,
                Ok(Then::Next) => pause.reset(),
                Ok(Then::Again) => tokio::time::sleep(pause.grow()).await,
                Err(error) => {
                    tracing::error!(%name, error = &error as &dyn std::error::Error, "booting failed; trying again");
                    this.last = Some(error.to_string());
                    tokio::time::sleep(pause.grow()).await;
                }
            }
        }
    }

    async fn step(&self, name: &NodeName, this: &mut Try) -> Result<Then, RosterError> {
        let Some((worker, record)) = self.awaiting(name)? else { return Ok(Then::Done) };
        let due = record.asked.unwrap_or(record.planned) + record.patience;
        if due <= Timestamp::now() {
            self.give_up(
                &worker,
                &record,
                FailedAt::Provisioning,
                &no_machine(&record, this.last.as_deref().unwrap_or("nothing yet")),
            )
            .await?;
            return Ok(Then::Done);
        }
        if !this.prepared {
            self.prepare(&worker).await?;
            this.prepared = true;
        }
        let maker = self.maker(&record.host)?;
        let _turn = maker.turns.acquire().await.expect("never closed");
        if record.asked.is_some() {
            let launch = self.launch(&record);
            let mut seen = maker.provider.machines().await?;
            seen.retain(|machine| machine.launch == launch && machine.state != MachineState::Gone);
            match seen.as_slice() {
                [machine] => return self.accept(&worker, &record, machine),
                [] if this.secret.is_some() => {}
                [] if Timestamp::now() < due.min(record.asked.unwrap_or(record.planned) + self.tempo.settle) => {
                    return Ok(Then::Again);
                }
                _ => return self.begin_anew(&worker, &record).await,
            }
        }
        self.ask(&worker, &record, maker.provider.as_ref(), this).await
    }

    /// The worker, if it still waits for its machine.
    fn awaiting(&self, name: &NodeName) -> Result<Option<(Worker, MachineRecord)>, RosterError> {
        let waits = |worker: &Worker| matches!(worker.state, WorkerState::Planned | WorkerState::Provisioning);
        let Some(worker) = self.store.worker(name)?.filter(waits) else { return Ok(None) };
        Ok(self.machine(worker.id)?.map(|record| (worker, record)))
    }

    async fn ask(
        &self,
        worker: &Worker,
        record: &MachineRecord,
        provider: &dyn Provider,
        this: &mut Try,
    ) -> Result<Then, RosterError> {
        let order = self.order(worker, record, self.secret(worker, record, &mut this.secret)?)?;
        self.store.note_machine(record.worker_id, record.attempt, &MachineNews::Asked, Timestamp::now())?;
        crash::point();
        if worker.state == WorkerState::Planned {
            self.advance(worker, WorkerState::Provisioning)?;
        }
        let answer = tokio::select! {
            answer = self.answer(provider, &order) => answer,
            // Its machine was quicker than its provider's answer.
            () = self.moved_on(&worker.name) => return Ok(Then::Done),
        };
        crash::point();
        match answer {
            Ok(machine) => {
                let worker = Worker { state: WorkerState::Provisioning, ..worker.clone() };
                self.accept(&worker, record, &machine)
            }
            Err(error) if error.kind == FailureKind::Passing => {
                tracing::warn!(worker = %worker.name, %error, "asking for a machine; trying again");
                this.last = Some(error.to_string());
                Ok(Then::Again)
            }
            Err(error) => {
                let worker = Worker { state: WorkerState::Provisioning, ..worker.clone() };
                if let Some(fresh) = self.go_elsewhere(&worker, record, &error).await? {
                    *this = Try { secret: Some(fresh), ..Try::default() };
                    return Ok(Then::Next);
                }
                self.refused(&worker, record, &error).await?;
                Ok(Then::Done)
            }
        }
    }

    async fn answer(&self, provider: &dyn Provider, order: &Order) -> Result<Machine, ProviderError> {
        let answer = tokio::time::timeout(self.tempo.answer, provider.provision(order)).await;
        answer.unwrap_or_else(|_| {
            Err(ProviderError {
                operation: "making a machine",
                object: order.launch.name(),
                seen: format!("no answer within {} s", self.tempo.answer.as_secs()),
                remedy: "look whether the host is well".into(),
                kind: FailureKind::Passing,
                left: Left::Unknown,
            })
        })
    }

    /// The token's secret; a new one, whose hash is on disk first, where a crash has taken it.
    fn secret<'a>(
        &self,
        worker: &Worker,
        record: &MachineRecord,
        known: &'a mut Option<FreshSecret>,
    ) -> Result<&'a FreshSecret, RosterError> {
        if known.is_none() {
            let fresh = FreshSecret::new();
            self.store.renew_token(worker, fresh.hash, token_expires(Timestamp::now(), record.patience))?;
            crash::point();
            *known = Some(fresh);
        }
        Ok(known.as_ref().expect("just made"))
    }

    /// Its provider has made it.
    fn accept(&self, worker: &Worker, record: &MachineRecord, machine: &Machine) -> Result<Then, RosterError> {
        self.seen(record, std::slice::from_ref(machine))?;
        crash::point();
        if self.advance(worker, WorkerState::Booting)? {
            self.note(&worker.name, &format!("its machine {} was accepted by {}", machine.id.0, record.host));
        }
        self.maker(&record.host)?.wake.notify_one();
        Ok(Then::Done)
    }

    /// Writes down what was seen of a machine.
    pub(super) fn seen(&self, record: &MachineRecord, machines: &[Machine]) -> Result<(), RosterError> {
        let now = Timestamp::now();
        let note = |news| self.store.note_machine(record.worker_id, record.attempt, &news, now);
        if let (None, Some(machine)) = (record.accepted, machines.first()) {
            note(MachineNews::Accepted(machine.id.0.clone()))?;
        }
        if record.running.is_none() && machines.iter().any(|machine| machine.state == MachineState::Running) {
            note(MachineNews::Running)?;
        }
        Ok(())
    }

    /// The attempt came to nothing: whatever is left of it goes, and the next one begins, with a token of its own.
    pub(super) async fn begin_anew(&self, worker: &Worker, record: &MachineRecord) -> Result<Then, RosterError> {
        self.maker(&record.host)?.provider.destroy(&self.launch(record)).await?;
        crash::point();
        let here = self.store.machines_of(worker.id)?.iter().filter(|other| other.host == record.host).count();
        if here >= ATTEMPTS {
            let words = format!("{ATTEMPTS} attempts came to nothing");
            self.give_up(worker, record, FailedAt::Provisioning, &no_machine(record, &words)).await?;
            return Ok(Then::Done);
        }
        self.store.next_machine(record.worker_id, record.attempt, Timestamp::now())?;
        crash::point();
        self.note(&worker.name, &format!("its machine is not on {}: it gets another", record.host));
        Ok(Then::Next)
    }

    async fn refused(&self, worker: &Worker, record: &MachineRecord, error: &ProviderError) -> Result<(), RosterError> {
        let before = self.store.machines_of(worker.id)?.into_iter().filter_map(|r| Some((r.host, r.refused?)));
        let before: Vec<String> = before.map(|(host, why)| format!("{host}: {why}; ")).collect();
        let seen = if before.is_empty() { error.seen.clone() } else { format!("{}: {}", record.host, error.seen) };
        let failure = Failure {
            expected: format!("a machine on {}", record.host),
            seen: before.concat() + &seen,
            remedy: error.remedy.clone(),
        };
        if error.left == Left::Nothing {
            self.fail(worker, FailedAt::Provisioning, &failure)?;
            let destroyed = MachineNews::Destroyed;
            return Ok(self.store.note_machine(record.worker_id, record.attempt, &destroyed, Timestamp::now())?);
        }
        self.give_up(worker, record, FailedAt::Provisioning, &failure).await
    }

    /// Ends when a worker waits for its provider's answer no more.
    async fn moved_on(&self, name: &NodeName) {
        let mut moves = self.moves.subscribe();
        // A store that can't be read tells nothing; then the answer does.
        while self.store.worker(name).ok().flatten().is_none_or(|w| w.state == WorkerState::Provisioning) {
            if moves.changed().await.is_err() {
                return;
            }
        }
    }
}

fn no_machine(record: &MachineRecord, last: &str) -> Failure {
    let within = format!("{:#}", record.patience);
    Failure {
        expected: format!("a machine on {} within {within}", record.host),
        seen: last.to_owned(),
        remedy: format!("landbridge host show {}, then boot another", record.host),
    }
}
