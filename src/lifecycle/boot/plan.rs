//! Which workers are to be, and where.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use landbridge_node::machine::crash;
use landbridge_node::wire::Via;
use landbridge_pki::NodeName;
use serde::{Deserialize, Serialize};

use super::Roster;
use super::rooms::size_of_one;
use crate::lifecycle::RosterError;
use crate::lifecycle::token::{FreshSecret, reserved};
use crate::placement::{self, Against, Placed, Size, Strategy, Wish};
use crate::provider::Accelerated;
use crate::spec::{Host, HostKind};
use crate::store::{MachinePlan, Room, StoreError, WorkerPlan};
use crate::template::WorkerTemplate;
use crate::worker::Worker;

/// So often a worker is placed anew when others have taken its place in between.
pub(super) const PLACES: u32 = 5;

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
    /// How to choose between hosts with room.
    pub strategy: Strategy,
    /// How long each may take from being asked for until it is ready, in seconds; `None`: as its host needs.
    pub patience_secs: Option<u32>,
    /// Only say where each would go.
    pub dry_run: bool,
}

/// What becomes of a wish.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BootAnswer {
    /// Those that are under way, or would be.
    pub workers: Vec<Booted>,
    /// Why the others are not, in words, each reason once.
    pub refused: Vec<String>,
    /// How many those are.
    pub missing: u32,
}

/// A worker that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booted {
    /// Its name; `None` where it was only asked where it would go.
    pub name: Option<NodeName>,
    /// Where it goes.
    pub host: NodeName,
    /// Why there, in words.
    pub why: String,
}

impl Roster {
    /// Plans the workers and starts each on its way; returns when every record is on disk. What can't be had is told, and spoils
    /// nothing for the others.
    pub async fn boot(self: &Arc<Self>, request: BootRequest) -> Result<BootAnswer, RosterError> {
        // Without it no machine could join; better told before any is planned.
        self.node_program()?;
        self.ask_what_is_offered(request.on.as_ref()).await;
        if request.dry_run {
            let placed = placement::place(&self.rooms()?, &wish(&request, request.count));
            return Ok(gather(placed.into_iter().map(|placed| told(None, placed))));
        }
        let mut booted = Vec::new();
        for _ in 0..request.count {
            match self.boot_one(&request) {
                Ok(one) => booted.push(one),
                Err(RosterError::Store(
                    full @ (StoreError::NoRoom { .. } | StoreError::NameTaken(_) | StoreError::NoAddress { .. }),
                )) => booted.push(Err(full.to_string())),
                Err(error) => return Err(error),
            }
        }
        Ok(gather(booted.into_iter()))
    }

    fn boot_one(self: &Arc<Self>, request: &BootRequest) -> Result<Result<Booted, String>, RosterError> {
        let mut tries = 0;
        loop {
            let placed = placement::place(&self.rooms()?, &wish(request, 1)).remove(0);
            let Placed::On { host, .. } = &placed else { return Ok(told(None, placed)) };
            let fresh = FreshSecret::new();
            match self.plan_on(request, host, &fresh) {
                Ok(worker) => {
                    crash::point();
                    self.note(&worker.name, &format!("asked for on {host}, with address {}", worker.address));
                    self.start_provisioning(&worker.name, Some(fresh));
                    return Ok(told(Some(worker.name), placed));
                }
                // Somebody else was quicker.
                Err(RosterError::Store(StoreError::NoRoom { .. })) if tries < PLACES => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn plan_on(&self, request: &BootRequest, on: &NodeName, fresh: &FreshSecret) -> Result<Worker, RosterError> {
        let (cluster, now) = (self.cluster(), Timestamp::now());
        let host = self.host_of_file(on)?;
        let patience = request.patience_secs.map(|secs| SignedDuration::from_secs(i64::from(secs)));
        let elsewhere = request.on.is_none().then_some(request.strategy);
        let machine = self.machine_plan(&request.template, &host, patience, elsewhere);
        let plan = WorkerPlan {
            name: request.name.clone(),
            host: Some(machine.host.clone()),
            via: way(&host),
            slots: request.template.slots,
            subnet: cluster.vlan.subnet,
            range: cluster.vlan.workers,
            reserved: reserved(&cluster),
            token: fresh.hash,
            token_expires: token_expires(now, machine.patience),
        };
        Ok(self.store.plan_machine(&plan, &machine, now)?)
    }

    /// A worker's machine on this host. Without a patience of its own it has what the host needs.
    pub(super) fn machine_plan(
        &self,
        template: &WorkerTemplate,
        host: &Host,
        patience: Option<SignedDuration>,
        elsewhere: Option<Strategy>,
    ) -> MachinePlan {
        let wanted = Size { cpu: template.cpu.0, memory_mib: template.memory_mib };
        let (room, size) = match &host.kind {
            HostKind::Physical(host) => {
                (Room { cpu: host.cpus * 100, memory_mib: host.memory_mib, machines: None }, wanted)
            }
            // An instance is taken whole, however little of it was asked for.
            HostKind::Cloud(cloud) => {
                let offered = self.told(&host.name).and_then(Result::ok);
                let each = size_of_one(cloud, offered.as_ref()).unwrap_or(wanted);
                let memory_mib = each.memory_mib * u64::from(cloud.workers);
                (Room { cpu: each.cpu * cloud.workers, memory_mib, machines: Some(cloud.workers) }, each)
            }
        };
        MachinePlan {
            host: host.name.clone(),
            template: template.clone(),
            cpu: size.cpu,
            memory_mib: size.memory_mib,
            room,
            patience: patience.unwrap_or_else(|| self.usual_patience(&host.name)),
            elsewhere,
        }
    }

    /// How long a worker's machine may take on this host, where no person has said.
    pub(super) fn usual_patience(&self, host: &NodeName) -> SignedDuration {
        match self.told(host).and_then(Result::ok).map(|offered| offered.accelerated) {
            Some(Accelerated::Emulated(_)) => SignedDuration::from_mins(10),
            _ => SignedDuration::from_mins(5),
        }
    }
}

/// How a worker on this host reaches the vLAN.
pub(super) fn way(host: &Host) -> Via {
    if matches!(host.kind, HostKind::Cloud(_)) { Via::Tunnel } else { Via::Bridge }
}

/// How long a token is good: its machine may wait for its turn and then take all its time.
pub(super) fn token_expires(now: Timestamp, patience: SignedDuration) -> Timestamp {
    now + (patience * 2).min(SignedDuration::from_hours(24))
}

fn wish(request: &BootRequest, count: u32) -> Wish {
    Wish { count, on: request.on.clone(), ..wish_for(&request.template, request.strategy) }
}

/// A wish for one worker, wherever there is room.
pub(super) fn wish_for(template: &WorkerTemplate, strategy: Strategy) -> Wish {
    Wish {
        count: 1,
        size: Size { cpu: template.cpu.0, memory_mib: template.memory_mib },
        runs_on_physical: template.runs_on_physical(),
        runs_in_cloud: template.runs_in_cloud(),
        machine_type: template.ec2.as_ref().and_then(|ec2| ec2.instance_type.clone()),
        on: None,
        strategy,
    }
}

fn told(name: Option<NodeName>, placed: Placed) -> Result<Booted, String> {
    match placed {
        Placed::On { host, chosen, .. } => Ok(Booted { name, host, why: chosen.to_string() }),
        Placed::Nowhere { against } => {
            let asked = against.iter().filter(|(_, why)| !matches!(why, Against::NotAsked { .. }));
            let words: Vec<String> = asked.map(|(host, why)| format!("{host}: {why}")).collect();
            Err(format!("no host takes it: {}", words.join("; ")))
        }
    }
}

fn gather(all: impl Iterator<Item = Result<Booted, String>>) -> BootAnswer {
    all.fold(BootAnswer::default(), |mut answer, one| {
        match one {
            Ok(booted) => answer.workers.push(booted),
            Err(why) => {
                answer.missing += 1;
                if !answer.refused.contains(&why) {
                    answer.refused.push(why);
                }
            }
        }
        answer
    })
}
