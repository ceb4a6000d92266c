//! Which workers are to be, and where.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use landbridge_node::machine::crash;
use landbridge_node::wire::Via;
use landbridge_pki::NodeName;
use serde::{Deserialize, Serialize};

use super::Roster;
use crate::lifecycle::RosterError;
use crate::lifecycle::token::{FreshSecret, reserved};
use crate::provider::{Accelerated, Offered};
use crate::spec::{Host, HostKind};
use crate::store::{MachinePlan, Room, StoreError, WorkerPlan};
use crate::template::WorkerTemplate;
use crate::worker::Worker;

/// A wish for workers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BootRequest {
    /// What each of them is.
    pub template: WorkerTemplate,
    /// How many.
    pub count: u32,
    /// The name of a single one; `None` takes the first free.
    pub name: Option<NodeName>,
    /// The host that is to have them; `None`: local first, then the cloud.
    pub on: Option<NodeName>,
    /// How long each may take from being asked for until it is ready, in seconds; `None`: as its host needs.
    pub patience_secs: Option<u32>,
}

/// What becomes of a wish.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BootAnswer {
    /// Those that are under way.
    pub workers: Vec<Booted>,
    /// Why the others are not, in words, each reason once.
    pub refused: Vec<String>,
}

/// A worker that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booted {
    /// Its name.
    pub name: NodeName,
    /// Where it goes.
    pub host: NodeName,
}

/// A host with what it can do, as it is now.
struct Candidate {
    host: Host,
    offered: Offered,
}

impl Roster {
    /// Plans the workers and starts each on its way; returns when every record is on disk. What can't be had is told, and spoils
    /// nothing for the others.
    pub async fn boot(self: &Arc<Self>, request: BootRequest) -> Result<BootAnswer, RosterError> {
        // Without it no machine could join; better told before any is planned.
        self.node_program()?;
        let candidates = self.candidates(request.on.as_ref()).await?;
        let mut answer = BootAnswer::default();
        for _ in 0..request.count {
            match self.boot_one(&request, &candidates) {
                Ok(booted) => answer.workers.push(booted),
                Err(
                    error @ RosterError::Store(
                        StoreError::NoRoom { .. } | StoreError::NameTaken(_) | StoreError::NoAddress { .. },
                    ),
                ) => {
                    answer.refused.push(error.to_string());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(answer)
    }

    fn boot_one(self: &Arc<Self>, request: &BootRequest, candidates: &[Candidate]) -> Result<Booted, RosterError> {
        let mut refused = None;
        for candidate in candidates {
            let fresh = FreshSecret::new();
            match self.plan_on(request, candidate, &fresh) {
                Ok(worker) => {
                    crash::point();
                    let host = candidate.host.name.clone();
                    self.note(&worker.name, &format!("asked for on {host}, with address {}", worker.address));
                    self.start_provisioning(&worker.name, Some(fresh));
                    return Ok(Booted { name: worker.name, host });
                }
                Err(full @ StoreError::NoRoom { .. }) => refused = Some(full),
                Err(error) => return Err(error.into()),
            }
        }
        Err(refused.map_or(RosterError::NoMaker, RosterError::Store))
    }

    fn plan_on(&self, request: &BootRequest, on: &Candidate, fresh: &FreshSecret) -> Result<Worker, StoreError> {
        let (cluster, now) = (self.cluster(), Timestamp::now());
        let machine = machine_plan(request, on);
        let plan = WorkerPlan {
            name: request.name.clone(),
            host: Some(machine.host.clone()),
            via: if matches!(on.host.kind, HostKind::Cloud(_)) { Via::Tunnel } else { Via::Bridge },
            slots: request.template.slots,
            subnet: cluster.vlan.subnet,
            range: cluster.vlan.workers,
            reserved: reserved(&cluster),
            token: fresh.hash,
            token_expires: token_expires(now, machine.patience),
        };
        self.store.plan_machine(&plan, &machine, now)
    }

    /// The hosts that may have them, in the order in which they are tried.
    async fn candidates(&self, on: Option<&NodeName>) -> Result<Vec<Candidate>, RosterError> {
        let cluster = self.cluster();
        let mut hosts: Vec<Host> = match on {
            Some(name) => cluster.hosts.iter().filter(|host| host.name == *name).cloned().collect(),
            None => cluster.hosts.iter().filter(|host| self.makers.contains_key(&host.name)).cloned().collect(),
        };
        hosts.sort_by_key(|host| matches!(host.kind, HostKind::Cloud(_)));
        if let Some(name) = on.filter(|_| hosts.is_empty()) {
            return Err(RosterError::Unknown { what: "host", name: name.clone() });
        }
        let mut candidates = Vec::new();
        for host in hosts {
            let offered = self.maker(&host.name)?.provider.offered().await;
            match offered {
                Ok(offered) => candidates.push(Candidate { host, offered }),
                // Another host may have them.
                Err(error) if on.is_none() => tracing::warn!(host = %host.name, %error, "is left out"),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(candidates)
    }
}

/// How long a token is good: its machine may wait for its turn and then take all its time.
pub(super) fn token_expires(now: Timestamp, patience: SignedDuration) -> Timestamp {
    now + (patience * 2).min(SignedDuration::from_hours(24))
}

fn machine_plan(request: &BootRequest, on: &Candidate) -> MachinePlan {
    let (room, cpu, memory_mib) = match &on.host.kind {
        HostKind::Physical(host) => {
            let room = Room { cpu: host.cpus * 100, memory_mib: host.memory_mib, machines: None };
            (room, request.template.cpu.0, request.template.memory_mib)
        }
        // An instance is taken whole, however little of it was asked for.
        HostKind::Cloud(cloud) => {
            let cpu = cloud.cpus.map_or(on.offered.cpu, |cpus| cpus * 100);
            let memory_mib = cloud.memory_mib.unwrap_or(on.offered.memory_mib);
            let memory = memory_mib * u64::from(cloud.workers);
            (Room { cpu: cpu * cloud.workers, memory_mib: memory, machines: Some(cloud.workers) }, cpu, memory_mib)
        }
    };
    let patience = match (request.patience_secs, &on.offered.accelerated) {
        (Some(secs), _) => SignedDuration::from_secs(i64::from(secs)),
        (None, Accelerated::Emulated(_)) => SignedDuration::from_mins(10),
        (None, _) => SignedDuration::from_mins(5),
    };
    let (host, template) = (on.host.name.clone(), request.template.clone());
    MachinePlan { host, template, cpu, memory_mib, room, patience }
}
