//! What a person can ask of a worker, and going on after a crash.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use landbridge_node::machine::crash;
use landbridge_node::wire::{Failure, Stage};
use landbridge_pki::NodeName;
use landbridge_pki::authority::CertificateState;

use super::prove::AGAIN;
use super::{Roster, RosterError};
use crate::worker::{LeaveStep, Worker, WorkerState};

/// A worker that joins and says nothing for this long has failed.
const JOIN_SILENCE: SignedDuration = SignedDuration::from_mins(3);
/// A plan whose machine never came is given up this long after it was made; its token is long dead.
const PLAN_LIFE: SignedDuration = SignedDuration::from_hours(24);

impl Roster {
    /// Closes a worker's slots; its jobs go on. `true` when something changed.
    pub fn drain(self: &Arc<Self>, name: &NodeName) -> Result<bool, RosterError> {
        let worker = self.alive(name)?;
        match worker.state {
            WorkerState::Draining | WorkerState::Drained | WorkerState::Leaving(_) => Ok(false),
            WorkerState::Ready => {
                self.advance(&worker, WorkerState::Draining)?;
                self.note(name, "drains: no more jobs start on it");
                self.start_draining(name);
                Ok(true)
            }
            _ => Err(RosterError::NotNow {
                name: name.clone(),
                state: worker.state.to_string(),
                why: "only a ready worker has slots to close",
            }),
        }
    }

    /// Opens a drained worker's slots again. `true` when something changed.
    pub async fn resume_worker(self: &Arc<Self>, name: &NodeName) -> Result<bool, RosterError> {
        let worker = self.alive(name)?;
        match worker.state {
            WorkerState::Ready => Ok(false),
            WorkerState::Draining | WorkerState::Drained => {
                // In this order: one that is drained is closed again after a crash, a ready one is not opened again.
                self.queue.open(name).await?;
                crash::point();
                self.advance(&worker, WorkerState::Ready)?;
                self.note(name, "takes jobs again");
                Ok(true)
            }
            _ => Err(RosterError::NotNow {
                name: name.clone(),
                state: worker.state.to_string(),
                why: "only a draining or drained worker can take jobs again",
            }),
        }
    }

    /// Sends a worker away: after its jobs, or `now`, which ends them. `true` when something changed.
    pub fn destroy(self: &Arc<Self>, name: &NodeName, now: bool) -> Result<bool, RosterError> {
        let found = self.store.worker(name)?;
        let worker = found.ok_or_else(|| RosterError::Unknown { what: "worker", name: name.clone() })?;
        let step = if now { LeaveStep::Undo } else { LeaveStep::Close };
        let changed = match worker.state {
            WorkerState::Gone => return Ok(false),
            WorkerState::Leaving(at) if at >= step => false,
            _ => self.advance(&worker, WorkerState::Leaving(step))?,
        };
        if changed {
            self.note(name, if now { "leaves at once" } else { "leaves when its jobs are done" });
        }
        self.start_leaving(name);
        Ok(changed)
    }

    /// Its host takes a worker's machine back at this moment: it leaves when its jobs are done, or loses them then.
    pub(super) fn taken_back(self: &Arc<Self>, worker: &Worker, at: Timestamp) -> Result<(), RosterError> {
        if !matches!(worker.state, WorkerState::Leaving(_) | WorkerState::Failed(_) | WorkerState::Gone) {
            let host = worker.host.as_ref().map_or("its host", NodeName::as_str);
            self.note(&worker.name, &format!("{host} takes its machine back at {at}"));
            self.destroy(&worker.name, false)?;
        }
        Ok(())
    }

    fn start_draining(self: &Arc<Self>, name: &NodeName) {
        let Some(claim) = self.claim(name) else { return };
        let (roster, name) = (Arc::clone(self), name.clone());
        self.tasks.spawn(async move {
            while let Err(error) = roster.drained(&name).await {
                tracing::error!(%name, error = &error as &dyn std::error::Error, "draining failed; trying again");
                tokio::time::sleep(AGAIN).await;
                let now = roster.store.worker(&name).ok().flatten().map(|worker| worker.state);
                if !matches!(now, Some(WorkerState::Draining | WorkerState::Drained)) {
                    break;
                }
            }
            drop(claim);
            // Destroyed while it drained: the claim was ours, so the leaving could not start.
            roster.take_up(&name);
        });
    }

    async fn drained(&self, name: &NodeName) -> Result<(), RosterError> {
        self.queue.close(name).await?;
        let worker = self.alive(name)?;
        self.jobs_done(&worker).await?;
        if worker.state == WorkerState::Draining && self.advance(&worker, WorkerState::Drained)? {
            self.note(name, "is drained");
        }
        Ok(())
    }

    /// Goes on with everything that was under way, after a start.
    pub async fn resume(self: &Arc<Self>) -> Result<(), RosterError> {
        self.finish_revocations().await?;
        for worker in self.store.workers()? {
            match worker.state {
                // Opening it again may have been interrupted.
                WorkerState::Drained => self.start_draining(&worker.name),
                _ => self.take_up(&worker.name),
            }
        }
        self.start_watching();
        for worker in self.store.workers()? {
            if worker.state == WorkerState::Planned && self.machine(worker.id)?.is_none() {
                self.prepare(&worker).await?;
            }
        }
        Ok(())
    }

    /// Carries out what follows from revocations that a crash has cut short: of hosts, and of workers beyond the identity
    /// stage, which have had a certificate.
    async fn finish_revocations(self: &Arc<Self>) -> Result<(), RosterError> {
        let has_had_one = |worker: &Worker| {
            worker.state.was_proved() || matches!(worker.state, WorkerState::Joining(at) if at > Stage::Identity)
        };
        let workers = self.store.workers()?.into_iter().filter(has_had_one).map(|worker| worker.name);
        let hosts = self.store.hosts()?.into_iter().filter(|host| host.enrolled.is_some()).map(|host| host.name);
        let records = self.with_authority(|authority| authority.register().list(Timestamp::now()))?;
        for name in workers.chain(hosts) {
            let newest = records.iter().filter(|r| r.certificate.name == name).max_by_key(|r| r.certificate.not_before);
            if newest.is_some_and(|newest| newest.state == CertificateState::Revoked)
                && let Err(error) = self.shut_out(&name).await
            {
                tracing::error!(%name, error = &error as &dyn std::error::Error, "who is revoked was not shut out");
            }
        }
        Ok(())
    }

    /// Starts the task that a worker's state calls for.
    pub(super) fn take_up(self: &Arc<Self>, name: &NodeName) {
        let Ok(Some(worker)) = self.store.worker(name) else { return };
        match worker.state {
            WorkerState::Leaving(_) => self.start_leaving(name),
            WorkerState::Draining => self.start_draining(name),
            WorkerState::Provisioning => self.start_provisioning(name, None),
            WorkerState::Planned if self.machine(worker.id).is_ok_and(|m| m.is_some()) => {
                self.start_provisioning(name, None);
            }
            WorkerState::Joining(Stage::Canary) => self.start_proving(name),
            // The queue master may have been away when it failed.
            WorkerState::Failed(_) => self.start_closing(name),
            _ => {}
        }
    }

    /// What time alone brings about: joins that fell silent, plans that nobody used.
    pub fn tick(self: &Arc<Self>, now: Timestamp) -> Result<(), RosterError> {
        for worker in self.store.workers()? {
            let silent = now.duration_since(worker.seen.unwrap_or(worker.created).max(worker.changed));
            match worker.state {
                WorkerState::Joining(stage) if silent > JOIN_SILENCE => {
                    self.fail(&worker, stage, &fell_silent(silent))?;
                }
                WorkerState::Planned if silent > PLAN_LIFE => {
                    self.destroy(&worker.name, false)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn alive(&self, name: &NodeName) -> Result<Worker, RosterError> {
        let found = self.store.worker(name)?.filter(|w| w.state.is_alive());
        found.ok_or_else(|| RosterError::Unknown { what: "worker", name: name.clone() })
    }
}

fn fell_silent(silent: SignedDuration) -> Failure {
    Failure {
        expected: "a report about this stage".into(),
        seen: format!("nothing for {:#}", SignedDuration::from_secs(silent.as_secs())),
        remedy: "look at the machine's console, then run landbridge-node join there again".into(),
    }
}
