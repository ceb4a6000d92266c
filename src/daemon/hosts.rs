//! Physical hosts and clouds as people see them.

use jiff::{SignedDuration, Timestamp};
use landbridge_node::wire::MachineFacts;
use landbridge_pki::NodeName;

use crate::lifecycle::{Roster, RosterError};
use crate::naming;
use crate::placement::{Size, Space};
use crate::provider::{Accelerated, Offered};
use crate::spec::{Cluster, Host, HostKind};
use crate::store::{HostRecord, MachineRecord};
use crate::view::{self, HostState, HostView};
use crate::worker::{Worker, WorkerState};

/// A node that was not heard of for this long is silent: it asks for orders every half minute.
pub(super) const SILENT: SignedDuration = SignedDuration::from_secs(90);

/// What is known of all hosts together.
struct Known {
    records: Vec<HostRecord>,
    workers: Vec<Worker>,
    machines: Vec<MachineRecord>,
}

impl Known {
    fn has_machines(&self, host: &NodeName) -> bool {
        self.machines.iter().any(|machine| machine.host == *host)
    }
}

/// Physical hosts and clouds, in the file's order.
pub(super) fn hosts(roster: &Roster, now: Timestamp) -> Result<Vec<HostView>, RosterError> {
    let (cluster, store) = (roster.cluster(), roster.store());
    let known = Known { records: store.hosts()?, workers: store.workers()?, machines: store.machines()? };
    let rooms = (0_u32..).zip(cluster.hosts.iter().zip(roster.rooms()?));
    let view = |(id, (host, room)): (u32, (&Host, crate::placement::Room))| {
        let mut view = self::host(&cluster, (id, host), room.space, roster.told(&host.name), &known, now);
        let load = roster.load(&host.name).filter(|(_, at)| now.duration_since(*at) <= SILENT);
        (view.idle_cpu, view.available_memory) = load.map(|(it, _)| (it.idle_cpu, it.available_memory_kib)).unzip();
        // One that never had a machine may have nothing to be asked with: a cloud without credentials.
        if let Some(why) = roster.trouble(&host.name).filter(|_| known.has_machines(&host.name)) {
            view.failure.get_or_insert(why);
            view.state = if view.state == HostState::On { HostState::Error } else { view.state };
        }
        view
    };
    Ok(rooms.map(view).collect())
}

fn host(
    cluster: &Cluster,
    (id, host): (u32, &Host),
    space: Space,
    told: Option<Result<Offered, String>>,
    known: &Known,
    now: Timestamp,
) -> HostView {
    let record = known.records.iter().find(|record| record.name == host.name);
    let (total, allocated) = amounts(space);
    let (offered, unheard) =
        told.map_or((None, None), |told| told.map_or_else(|e| (None, Some(e)), |o| (Some(o), None)));
    let facts = record.and_then(|record| record.facts.as_ref()).map(described);
    let (kind, underlay, detail) = match &host.kind {
        HostKind::Physical(physical) => (view::HostKind::Physical, Some(physical.underlay), facts),
        HostKind::Cloud(cloud) => {
            let detail = format!("{}, at most {} {}", cloud.region, cloud.workers, cloud.instance_type);
            (view::HostKind::Cloud, None, Some(detail))
        }
    };
    HostView {
        id,
        name: host.name.to_string(),
        kind,
        state: host_state(&host.kind, record, now),
        since: record.and_then(|r| r.seen),
        running_workers: running(&host.name, known),
        total_cpu: total.cpu,
        free_cpu: total.cpu.saturating_sub(allocated.cpu),
        allocated_cpu: allocated.cpu,
        total_memory: total.memory_mib * 1024,
        free_memory: total.memory_mib.saturating_sub(allocated.memory_mib) * 1024,
        allocated_memory: allocated.memory_mib * 1024,
        idle_cpu: None,
        available_memory: None,
        underlay,
        bridge: underlay.map(|_| naming::bridge(&cluster.name).to_string()),
        detail,
        machines: offered.as_ref().map(makes),
        failure: record.and_then(|r| r.failure.clone()).or(unheard),
    }
}

/// All of it, and what is promised. A cloud that hasn't told the size of its machines yet counts one processor each.
fn amounts(space: Space) -> (Size, Size) {
    match space {
        Space::Shared { total, allocated } => (total, allocated),
        Space::Machines { total, taken, each } => {
            let each = each.unwrap_or(Size { cpu: 100, memory_mib: 0 });
            let times = |n: u32| Size { cpu: each.cpu * n, memory_mib: each.memory_mib * u64::from(n) };
            (times(total), times(taken))
        }
    }
}

/// Machines of ours that run, and workers that came with a token.
fn running(host: &NodeName, known: &Known) -> u32 {
    let machines = known.machines.iter().filter(|machine| machine.host == *host && machine.running.is_some());
    let alone = known.workers.iter().filter(|worker| {
        let runs = worker.state.has_called() && !matches!(worker.state, WorkerState::Failed(_));
        worker.host.as_ref() == Some(host) && !worker.booted && runs
    });
    u32::try_from(machines.count() + alone.count()).unwrap_or(u32::MAX)
}

/// How machines are made there.
fn makes(offered: &Offered) -> String {
    let how = match &offered.accelerated {
        Accelerated::Proved => "; guests run by hardware, which was proved".to_owned(),
        Accelerated::Emulated(why) => format!("; guests are emulated: {why}"),
        Accelerated::NotOurs => String::new(),
    };
    format!("{}{how}", offered.description)
}

fn described(facts: &MachineFacts) -> String {
    format!("{}, {} CPUs, {} MiB, Linux {}", facts.hostname, facts.cpus, facts.memory_mib, facts.kernel)
}

fn host_state(kind: &HostKind, record: Option<&HostRecord>, now: Timestamp) -> HostState {
    let HostKind::Physical(_) = kind else { return HostState::On };
    let Some(record) = record.filter(|r| r.enrolled.is_some()) else { return HostState::New };
    let silent = record.seen.is_none_or(|at| now.duration_since(at) > SILENT);
    match record {
        r if r.leaving => HostState::Leaving,
        r if r.failure.is_some() => HostState::Error,
        _ if silent => HostState::Silent,
        _ => HostState::On,
    }
}
