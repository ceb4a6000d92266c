//! Looking after the machines of a host. No provider tells of what happens to them, so it is asked: often while one is awaited,
//! seldom else.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Timestamp;
use landbridge_node::wire::Failure;
use landbridge_pki::NodeName;

use super::decide::{Look, Next, decide};
use super::tempo::Pause;
use super::words::{because, too_late, vanished};
use super::{Maker, Roster};
use crate::lifecycle::RosterError;
use crate::provider::{Machine, MachineState};
use crate::store::MachineRecord;
use crate::worker::{FailedAt, Worker, WorkerState};

/// In how many looks in a row an attempt's machine was missed.
type Misses = HashMap<(i64, u32), u32>;

impl Roster {
    /// Looks after every host's machines until the roster is gone.
    pub(in crate::lifecycle) fn start_watching(self: &Arc<Self>) {
        for (host, maker) in &self.makers {
            tokio::spawn(watch(Arc::downgrade(self), host.clone(), Arc::clone(maker)));
        }
    }

    /// One look. Whether a machine is awaited there.
    async fn look(self: &Arc<Self>, host: &NodeName, maker: &Maker, misses: &mut Misses) -> Result<bool, RosterError> {
        // Read before and after: what is in the answer was written down before it was asked for, and may be ended meanwhile.
        let before = self.store.machines()?;
        let seen = maker.provider.machines().await?;
        let mut records = self.store.machines()?;
        let known: Vec<MachineRecord> = before.into_iter().chain(records.iter().cloned()).collect();
        self.end_strays(&seen, &known, host, maker).await?;
        records.retain(|record| record.host == *host);
        misses.retain(|key, _| records.iter().any(|record| (record.worker_id, record.attempt) == *key));
        let mut awaited = false;
        for record in &records {
            let launch = self.launch(record);
            let mine: Vec<Machine> = seen.iter().filter(|machine| machine.launch == launch).cloned().collect();
            awaited |= self.look_after(record, &mine, misses)?;
        }
        Ok(awaited)
    }

    fn look_after(
        self: &Arc<Self>,
        record: &MachineRecord,
        mine: &[Machine],
        misses: &mut Misses,
    ) -> Result<bool, RosterError> {
        let Some(worker) = self.store.worker(&record.worker)?.filter(|w| w.id == record.worker_id) else {
            return Ok(false);
        };
        self.seen(record, mine)?;
        let in_a_row = misses.entry((record.worker_id, record.attempt)).or_default();
        *in_a_row = if mine.is_empty() { *in_a_row + 1 } else { 0 };
        let look = Look { mine, misses: *in_a_row, settle: self.tempo.settle, now: Timestamp::now() };
        self.follow_up(&worker, record, mine, decide(&worker, record, &look))?;
        Ok(worker.ready.is_none())
    }

    fn follow_up(
        self: &Arc<Self>,
        worker: &Worker,
        record: &MachineRecord,
        mine: &[Machine],
        next: Next,
    ) -> Result<(), RosterError> {
        match next {
            Next::Wait => {}
            Next::GiveUp(at) => self.start_giving_up(worker, record, Some((at, self.late(record, mine, at)))),
            Next::Vanished(at) => self.start_giving_up(worker, record, Some((at, vanished(record, mine)))),
            Next::Discard => self.start_giving_up(worker, record, None),
            Next::Double => self.start_beginning_anew(worker, record),
            Next::Lost => {
                let why = because(mine).map(|why| format!(": {why}")).unwrap_or_default();
                self.note(&worker.name, &format!("its machine is not on {} any more{why}", record.host));
                self.destroy(&worker.name, true)?;
            }
            Next::Reclaimed(at) => self.taken_back(worker, at)?,
        }
        Ok(())
    }

    fn late(&self, record: &MachineRecord, mine: &[Machine], at: FailedAt) -> Failure {
        too_late(record, mine, at, self.cluster().front_end.public)
    }

    fn start_beginning_anew(self: &Arc<Self>, worker: &Worker, record: &MachineRecord) {
        let Some(claim) = self.claim(&worker.name) else { return };
        let (roster, worker, record) = (Arc::clone(self), worker.clone(), record.clone());
        self.tasks.spawn(async move {
            if let Err(error) = roster.again(&worker, &record).await {
                tracing::error!(worker = %worker.name, error = &error as &dyn std::error::Error, "beginning anew failed");
            }
            drop(claim);
            roster.take_up(&worker.name);
        });
    }

    async fn again(&self, worker: &Worker, record: &MachineRecord) -> Result<(), RosterError> {
        self.note(&worker.name, &format!("{} has made two machines for it: both go", record.host));
        self.lock_out(&worker.name)?;
        if self.advance(worker, WorkerState::Provisioning)? {
            let worker = Worker { state: WorkerState::Provisioning, ..worker.clone() };
            self.begin_anew(&worker, record).await?;
        }
        Ok(())
    }

    /// A machine of an attempt that was given up turned up late. One whose worker nobody knows is left to `audit`.
    /// One that won't end is tried again at the next look; the others' workers don't wait for it.
    async fn end_strays(
        &self,
        seen: &[Machine],
        alive: &[MachineRecord],
        host: &NodeName,
        maker: &Maker,
    ) -> Result<(), RosterError> {
        for machine in seen.iter().filter(|m| !matches!(m.state, MachineState::Gone | MachineState::Stopping)) {
            let launch = &machine.launch;
            let is = |record: &MachineRecord| (record.worker_id, record.attempt) == (launch.worker_id, launch.attempt);
            if alive.iter().any(is) {
                continue;
            }
            let of_ours = self.store.machines_of(launch.worker_id)?;
            if of_ours.iter().any(|record| is(record) && record.destroyed.is_some()) {
                if let Err(error) = maker.provider.destroy(launch).await {
                    tracing::warn!(%host, worker = %launch.worker, %error, "a machine that came too late doesn't go");
                    continue;
                }
                self.note(
                    &launch.worker,
                    &format!("a machine of its attempt {} came too late, and went", launch.attempt),
                );
            }
        }
        Ok(())
    }
}

async fn watch(roster: Weak<Roster>, host: NodeName, maker: Arc<Maker>) {
    let Some(tempo) = roster.upgrade().map(|roster| roster.tempo) else { return };
    if let Some(alive) = roster.upgrade() {
        alive.ask_what_is_offered(Some(&host)).await;
    }
    let (mut quick, mut misses) = (Pause::new(tempo.quick), Misses::new());
    loop {
        let Some(alive) = roster.upgrade() else { return };
        let looked = tokio::time::timeout(tempo.answer, alive.look(&host, &maker, &mut misses)).await;
        let looked =
            looked.unwrap_or_else(|_| Err(RosterError::Unanswered { host: host.clone(), within: tempo.answer }));
        let pause = match looked {
            Ok(awaited) => {
                alive.untroubled(&host);
                if awaited { quick.grow() } else { tempo.slow }
            }
            Err(error) => {
                alive.troubled(&host, "looking after its machines failed", &error);
                told_pause(&mut quick)
            }
        };
        drop(alive);
        if tokio::time::timeout(pause, maker.wake.notified()).await.is_ok() {
            quick.reset();
        }
    }
}

/// A host that doesn't answer is asked as seldom as one where a machine was long awaited.
fn told_pause(quick: &mut Pause) -> Duration {
    quick.grow().max(Duration::from_millis(1))
}
