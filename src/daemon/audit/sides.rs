//! What each side says.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use jiff::Timestamp;
use landbridge_pki::authority::CertificateState;
use landbridge_pki::{NodeName, Role};

use crate::lifecycle::{Roster, RosterError};
use crate::provider::{Leftover, Machine};
use crate::spec::SchedulerKind;
use crate::store::MachineRecord;
use crate::worker::Worker;

/// What a host that makes machines has of ours.
#[derive(Clone, Debug, Default)]
pub(super) struct HostSide {
    pub(super) machines: Vec<Machine>,
    pub(super) leftovers: Vec<Leftover>,
}

/// What each side says. A side that failed says why.
#[derive(Clone, Debug)]
pub(super) struct Sides {
    /// As they were before the others were asked: what came or went meanwhile is nobody's fault.
    pub(super) before: Vec<Worker>,
    pub(super) workers: Vec<Worker>,
    /// Machines of which something may be left, before and after.
    pub(super) machines: Vec<MachineRecord>,
    /// Those of them that were there after.
    pub(super) alive: Vec<MachineRecord>,
    /// Whether the cluster has a queue at all.
    pub(super) has_queue: bool,
    pub(super) queue: Result<BTreeSet<NodeName>, String>,
    pub(super) admitted: BTreeSet<NodeName>,
    pub(super) certificates: BTreeSet<NodeName>,
    pub(super) leases: BTreeSet<Ipv4Addr>,
    pub(super) hosts: BTreeMap<NodeName, Result<HostSide, String>>,
    /// Now.
    pub(super) now: Timestamp,
}

impl Sides {
    /// Asks them all.
    pub(super) async fn gather(roster: &Roster) -> Result<Self, RosterError> {
        let now = Timestamp::now();
        let (before, mut machines) = (roster.store().workers()?, roster.store().machines()?);
        let queue = roster.queue_knows().await.map(|known| known.into_iter().collect()).map_err(|e| e.to_string());
        let hosts = roster.inventories().await?.into_iter().map(|(host, told)| (host, told.map(side))).collect();
        let (admitted, certificates) = (roster.admitted()?.into_iter().collect(), live_certificates(roster, now)?);
        let leases = roster.store().leases(now)?;
        let alive = roster.store().machines()?;
        machines.extend(alive.iter().cloned());
        Ok(Self {
            before,
            workers: roster.store().workers()?,
            machines,
            alive,
            has_queue: roster.cluster().services.scheduler != SchedulerKind::None,
            queue,
            admitted,
            certificates,
            leases: leases.into_iter().filter(|(_, free_at)| free_at.is_none()).map(|(address, _)| address).collect(),
            hosts,
            now,
        })
    }
}

fn side((machines, leftovers): (Vec<Machine>, Vec<Leftover>)) -> HostSide {
    HostSide { machines, leftovers }
}

fn live_certificates(roster: &Roster, now: Timestamp) -> Result<BTreeSet<NodeName>, RosterError> {
    let records = roster.with_authority(|authority| authority.register().list(now))?;
    let live = records.into_iter().filter(|r| r.state == CertificateState::Valid);
    Ok(live.map(|r| r.certificate).filter(|c| c.role == Role::Worker).map(|c| c.name).collect())
}
