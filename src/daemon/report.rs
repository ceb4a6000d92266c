//! The roster as people see it.

use std::path::Path;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use landbridge_node::wire::Stage;
use landbridge_pki::NodeName;

use super::converge::Health;
use super::deploy;
use super::hosts::{SILENT, hosts};
use crate::lifecycle::{Roster, RosterError};
use crate::naming;
use crate::spec::{Cluster, SchedulerKind, Uplink};
use crate::store::{Event, MachineRecord, StoreError, TimelineRow};
use crate::tunnel::{self, Server};
use crate::view::{
    self, ClusterView, FrontEndView, HostState, HostView, ServiceState, ServiceView, TimelineView, TriedHost,
    TunnelView, UplinkKind, VlanView, WorkerView,
};
use crate::worker::{FailedAt, Worker, WorkerState};

/// Everything at one moment.
pub(super) async fn cluster(roster: &Roster, health: &Health, now: Timestamp) -> Result<ClusterView, RosterError> {
    let cluster = roster.cluster();
    let (mut workers, hosts) = (workers(roster, now)?, hosts(roster, now)?);
    // A queue master that is away would be waited for.
    let is_asked = cluster.services.scheduler != SchedulerKind::None && health.failure().is_none();
    if is_asked && let Some(jobs) = roster.jobs().await {
        for worker in &mut workers {
            worker.jobs = Some(NodeName::new(&worker.name).ok().and_then(|name| jobs.get(&name).copied()).unwrap_or(0));
        }
    }
    Ok(ClusterView {
        now,
        cluster: cluster.name.to_string(),
        front_end: front_end(roster, &cluster, health).await,
        vlan: vlan(roster, &cluster, now)?,
        attention: attention(roster, health, &hosts, &workers)?,
        hosts,
        workers,
    })
}

async fn front_end(roster: &Roster, cluster: &Cluster, health: &Health) -> FrontEndView {
    let servers = tunnel::servers(cluster);
    let tunnels = join_all(servers.iter().map(|server| tunnel_view(roster, cluster, server))).await;
    FrontEndView {
        name: cluster.front_end.name.to_string(),
        address: cluster.vlan.front_end().ip(),
        public: cluster.front_end.public,
        underlay: cluster.front_end.underlay,
        bridge: naming::bridge(&cluster.name).to_string(),
        up: health.failure().is_none(),
        since: health.since(),
        services: services(cluster, health),
        tunnels,
    }
}

async fn tunnel_view(roster: &Roster, cluster: &Cluster, server: &Server) -> TunnelView {
    let sessions = roster.connected(server).await;
    TunnelView {
        tap: server.tap(cluster).to_string(),
        protocol: server.protocol.as_str().into(),
        port: server.port,
        state: if sessions.is_ok() { ServiceState::Up } else { ServiceState::Down },
        clients: sessions.map_or(0, |all| u32::try_from(all.len()).unwrap_or(u32::MAX)),
    }
}

fn services(cluster: &Cluster, health: &Health) -> Vec<ServiceView> {
    let failure = health.failure();
    let service = |name: &str, detail: String| ServiceView {
        name: name.into(),
        detail,
        state: if failure.is_none() { ServiceState::Up } else { ServiceState::Down },
        failure: failure.clone(),
    };
    let exports =
        |paths: &[std::path::PathBuf]| paths.iter().map(|p| Path::display(p).to_string()).collect::<Vec<_>>().join(" ");
    let nfs = cluster.services.nfs.as_ref().map(|nfs| service("NFS", exports(&nfs.exports)));
    let nis = cluster.services.nis.as_ref().map(|nis| service("NIS", nis.domain.clone()));
    let queue = match cluster.services.scheduler {
        SchedulerKind::Sge => Some(service("queue", "Grid Engine".into())),
        SchedulerKind::Slurm => Some(service("queue", "Slurm".into())),
        SchedulerKind::None => None,
    };
    [nfs, nis, queue].into_iter().flatten().collect()
}

fn vlan(roster: &Roster, cluster: &Cluster, now: Timestamp) -> Result<VlanView, StoreError> {
    let leases = roster.store().leases(now)?;
    let resting = leases.iter().filter(|(_, free_at)| free_at.is_some()).count();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(VlanView {
        subnet: cluster.vlan.subnet,
        workers: cluster.vlan.workers,
        mtu: cluster.vlan.mtu.bytes(),
        uplink: match &cluster.vlan.uplink {
            Uplink::Vxlan { vni, .. } => UplinkKind::Vxlan(vni.get()),
            Uplink::Vlan { id, parent } => UplinkKind::Vlan(id.get(), parent.to_string()),
            Uplink::Port { nic } => UplinkKind::Port(nic.to_string()),
        },
        leased: count(leases.len() - resting),
        quarantined: count(resting),
    })
}

/// Every worker that is not gone.
pub(super) fn workers(roster: &Roster, now: Timestamp) -> Result<Vec<WorkerView>, StoreError> {
    roster.store().workers()?.iter().map(|worker| view_of(roster, worker, now)).collect()
}

/// One worker, gone ones included.
pub(super) fn worker(roster: &Roster, name: &NodeName, now: Timestamp) -> Result<WorkerView, RosterError> {
    let found = roster.store().worker(name)?;
    let worker = found.ok_or_else(|| RosterError::Unknown { what: "worker", name: name.clone() })?;
    Ok(view_of(roster, &worker, now)?)
}

fn view_of(roster: &Roster, worker: &Worker, now: Timestamp) -> Result<WorkerView, StoreError> {
    let timeline = roster.store().timeline(worker.id)?;
    let mut machines = if worker.booted { roster.store().machines_of(worker.id)? } else { Vec::new() };
    let machine = machines.pop();
    let (cpu, memory_mib) = machine.as_ref().map_or_else(
        || (worker.slots * 100, worker.facts.as_ref().map_or(0, |facts| facts.memory_mib)),
        |machine| (machine.cpu, machine.memory_mib),
    );
    let itself = worker.facts.as_ref().map(|facts| facts.hostname.clone());
    Ok(WorkerView {
        id: worker.id.unsigned_abs(),
        name: worker.name.to_string(),
        state: state_of(worker, now),
        stage: stage_of(worker.state),
        failed_at: failed_before_joining(worker.state),
        since: worker.changed,
        asked: worker.created,
        cpu,
        memory: memory_mib * 1024,
        host: worker.host.as_ref().map(ToString::to_string),
        address: Some(worker.address),
        via: Some(worker.via),
        jobs: None,
        machine: machine.as_ref().map_or(itself, |machine| machine.id.clone()),
        console: machine.as_ref().and_then(|machine| machine.console.clone()).map(Into::into),
        failure: worker.failure.clone(),
        tried: machines.into_iter().filter_map(tried).collect(),
        boot: machine.as_ref().map_or_else(Vec::new, |machine| deploy::boot(worker, machine, timeline.first())),
        timeline: self::timeline(worker, &timeline),
    })
}

fn tried(machine: MachineRecord) -> Option<TriedHost> {
    Some(TriedHost { host: machine.host.to_string(), why: machine.refused? })
}

fn state_of(worker: &Worker, now: Timestamp) -> view::WorkerState {
    let silent = worker.seen.is_none_or(|at| now.duration_since(at) > SILENT);
    match worker.state {
        WorkerState::Planned => view::WorkerState::Planned,
        WorkerState::Provisioning => view::WorkerState::Provisioning,
        WorkerState::Booting => view::WorkerState::Booting,
        WorkerState::Joining(_) => view::WorkerState::Joining,
        WorkerState::Ready if silent => view::WorkerState::Lost,
        WorkerState::Ready => view::WorkerState::Ready,
        WorkerState::Draining => view::WorkerState::Draining,
        WorkerState::Drained => view::WorkerState::Drained,
        WorkerState::Leaving(_) => view::WorkerState::Leaving,
        WorkerState::Failed(_) => view::WorkerState::Failed,
        WorkerState::Gone => view::WorkerState::Gone,
    }
}

fn stage_of(at: WorkerState) -> Option<Stage> {
    match at {
        WorkerState::Joining(stage) | WorkerState::Failed(FailedAt::Stage(stage)) => Some(stage),
        _ => None,
    }
}

fn failed_before_joining(at: WorkerState) -> Option<String> {
    match at {
        WorkerState::Failed(at @ (FailedAt::Provisioning | FailedAt::Booting)) => Some(at.to_string()),
        _ => None,
    }
}

fn timeline(worker: &Worker, rows: &[TimelineRow]) -> Option<TimelineView> {
    let first = rows.first()?;
    let began = first.report.started_ms.saturating_add(first.report.took_ms);
    let began = SignedDuration::from_millis(i64::try_from(began).unwrap_or(0));
    Some(TimelineView {
        started: first.at.checked_sub(began).unwrap_or(first.at),
        stages: rows.iter().map(|row| row.report.clone()).collect(),
        running: match worker.state {
            WorkerState::Joining(stage) => Some(stage),
            _ => None,
        },
    })
}

/// What a person should look at, a sentence each.
fn attention(
    roster: &Roster,
    health: &Health,
    hosts: &[HostView],
    workers: &[WorkerView],
) -> Result<Vec<String>, StoreError> {
    let convergence = health.failure().map(|why| format!("the front-end is not as it should be: {why}"));
    let stuck = workers.iter().filter_map(|worker| {
        let why = roster.trouble(&NodeName::new(&worker.name).ok()?)?;
        Some(format!("{} can't be taken away yet: {why}", worker.name))
    });
    let hosts = hosts.iter().filter_map(of_host);
    let of_workers = workers.iter().filter_map(of_worker);
    Ok(convergence.into_iter().chain(hosts).chain(of_workers).chain(unused(roster)?).chain(stuck).collect())
}

/// Workers that were ready and are no more, though their machines run on: nobody ends one that may come back.
fn unused(roster: &Roster) -> Result<Vec<String>, StoreError> {
    let machines = roster.store().machines()?;
    let has_machine = |worker: &Worker| machines.iter().any(|it| it.worker_id == worker.id && it.running.is_some());
    let failed = |worker: &Worker| worker.ready.is_some() && matches!(worker.state, WorkerState::Failed(_));
    let told = |Worker { name, .. }: Worker| {
        format!("the machine of {name} runs, and nobody uses it: landbridge worker destroy {name} ends it")
    };
    Ok(roster.store().workers()?.into_iter().filter(|it| failed(it) && has_machine(it)).map(told).collect())
}

fn of_host(host: &HostView) -> Option<String> {
    let name = &host.name;
    match host.state {
        HostState::Error => {
            let why = host.failure.as_deref().unwrap_or("no reason was told");
            Some(format!("{name} is not as it should be: {why}"))
        }
        HostState::Silent => Some(format!("{name} says nothing any more: does landbridge-node run there?")),
        HostState::On | HostState::New | HostState::Leaving => None,
    }
}

fn of_worker(worker: &WorkerView) -> Option<String> {
    let WorkerView { name, failure, .. } = worker;
    match (worker.state, failure.as_deref()) {
        (view::WorkerState::Failed, why) => {
            let why = why.unwrap_or("no reason was told");
            Some(format!("{name} failed: {why} (landbridge worker show {name})"))
        }
        (view::WorkerState::Planned, Some(why)) => Some(format!("{name} waits for its machine: {why}")),
        (view::WorkerState::Lost, _) => Some(format!("{name} is ready but silent: is its machine still there?")),
        _ => None,
    }
}

/// What happened, newest last.
pub(super) fn events(roster: &Roster, most: u32) -> Result<Vec<Event>, StoreError> {
    let mut events = roster.store().events(most)?;
    events.reverse();
    Ok(events)
}
