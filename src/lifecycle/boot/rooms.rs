//! What each host has for workers, and what of it is promised.

use std::sync::PoisonError;
use std::time::Duration;

use landbridge_pki::NodeName;

use super::Roster;
use crate::lifecycle::RosterError;
use crate::placement::{self, Size, Space};
use crate::provider::Offered;
use crate::spec::{Cloud, Host, HostKind};
use crate::store::{HostRecord, MachineRecord};
use crate::worker::Worker;

/// For a host's word about itself, which may have to try first whether a guest runs; one that takes longer is left out.
const WORD: Duration = Duration::from_mins(1);

/// For its word once more: a host that doesn't answer now must not keep workers from the others.
const AGAIN: Duration = Duration::from_secs(5);

/// A host's word about itself, or why there is none.
pub(in crate::lifecycle) type Told = Result<Offered, String>;

impl Roster {
    /// What a host says that it can do, as it said last; `None` when it hasn't been asked yet or makes no machines.
    pub fn told(&self, host: &NodeName) -> Option<Told> {
        self.makers.get(host)?.told.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks every host that makes machines, or one of them, side by side.
    pub(super) async fn ask_what_is_offered(&self, only: Option<&NodeName>) {
        let asked =
            self.makers.iter().filter(|(host, _)| only.is_none_or(|only| only == *host)).map(|(_, maker)| async {
                let known = maker.told.read().unwrap_or_else(PoisonError::into_inner).clone().and_then(Result::ok);
                let within = if known.is_some() { AGAIN } else { WORD };
                let told = match (tokio::time::timeout(within, maker.provider.offered()).await, known) {
                    (Ok(told), _) => told.map_err(|error| format!("{error}; {}", error.remedy)),
                    // It is busy, perhaps with our own machines: what it said last is still so.
                    (Err(_), Some(known)) => Ok(known),
                    (Err(_), None) => Err(format!("no answer within {} s", within.as_secs())),
                };
                *maker.told.write().unwrap_or_else(PoisonError::into_inner) = Some(told);
            });
        futures_util::future::join_all(asked).await;
    }

    /// Every host of the cluster's file as placement sees it.
    pub fn rooms(&self) -> Result<Vec<placement::Room>, RosterError> {
        let cluster = self.cluster();
        let (machines, workers, records) = (self.store.machines()?, self.store.workers()?, self.store.hosts()?);
        Ok(cluster
            .hosts
            .iter()
            .map(|host| placement::Room {
                name: host.name.clone(),
                closed: self.closed(host, &records),
                machine_type: match &host.kind {
                    HostKind::Cloud(cloud) => Some(cloud.instance_type.clone()),
                    HostKind::Physical(_) => None,
                },
                space: self.space(host, &machines, &workers),
            })
            .collect())
    }

    fn space(&self, host: &Host, machines: &[MachineRecord], workers: &[Worker]) -> Space {
        let (allocated, taken) = promised(&host.name, machines, workers);
        match &host.kind {
            HostKind::Physical(physical) => {
                let total = Size { cpu: physical.cpus * 100, memory_mib: physical.memory_mib };
                Space::Shared { total, allocated }
            }
            HostKind::Cloud(cloud) => {
                let each = size_of_one(cloud, self.told(&host.name).and_then(Result::ok).as_ref());
                Space::Machines { total: cloud.workers, taken, each }
            }
        }
    }

    fn closed(&self, host: &Host, records: &[HostRecord]) -> Option<String> {
        match self.told(&host.name) {
            _ if !self.makers.contains_key(&host.name) => {
                return Some("makes no machines: the cluster's file names no libvirt, driver or ec2 for it".into());
            }
            Some(Err(why)) => return Some(format!("can't be asked: {why}")),
            _ => {}
        }
        let HostKind::Physical(_) = host.kind else { return None };
        let record = records.iter().find(|record| record.name == host.name && record.enrolled.is_some());
        match record {
            None => Some(format!("has no bridge yet: landbridge host add {}", host.name)),
            Some(record) if record.leaving => Some("is leaving".into()),
            Some(record) => record.failure.as_ref().map(|why| format!("its fabric couldn't be made: {why}")),
        }
    }
}

/// The size of one of a cloud's machines: as the file says, else as the cloud has told.
pub(super) fn size_of_one(cloud: &Cloud, told: Option<&Offered>) -> Option<Size> {
    let cpu = cloud.cpus.map(|cpus| cpus * 100).or_else(|| told.map(|offered| offered.cpu))?;
    let memory_mib = cloud.memory_mib.or_else(|| told.map(|offered| offered.memory_mib))?;
    Some(Size { cpu, memory_mib })
}

/// What is promised on a host, and to how many: to machines what was planned for them, to workers that joined with a token what
/// they said they have. The store counts the same when it takes a plan.
fn promised(host: &NodeName, machines: &[MachineRecord], workers: &[Worker]) -> (Size, u32) {
    let planned = machines.iter().filter(|machine| machine.host == *host);
    let planned = planned.map(|machine| Size { cpu: machine.cpu, memory_mib: machine.memory_mib });
    let alone = workers.iter().filter(|worker| worker.host.as_ref() == Some(host) && !worker.booted);
    let alone = alone.map(|worker| Size {
        cpu: worker.slots * 100,
        memory_mib: worker.facts.as_ref().map_or(0, |facts| facts.memory_mib),
    });
    let add = |(all, count): (Size, u32), one: Size| {
        (Size { cpu: all.cpu + one.cpu, memory_mib: all.memory_mib + one.memory_mib }, count + 1)
    };
    planned.chain(alone).fold((Size::default(), 0), add)
}
