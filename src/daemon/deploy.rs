//! How long workers took, from what was written down.

use jiff::Timestamp;

use crate::lifecycle::{Roster, RosterError};
use crate::spec::{Cluster, HostKind, Hypervisor};
use crate::store::{Deploy, MachineRecord, TimelineRow};
use crate::view::{DeployStep, DeployView, WorkerDeploy};
use crate::worker::Worker;

/// The deploy figures.
pub(super) fn deploys(roster: &Roster) -> Result<DeployView, RosterError> {
    let cluster = roster.cluster();
    Ok(DeployView::of(roster.store().deploys()?.iter().map(|deploy| of(&cluster, deploy)).collect()))
}

fn of(cluster: &Cluster, deploy: &Deploy) -> WorkerDeploy {
    let machine = &deploy.machine;
    WorkerDeploy {
        id: machine.worker_id.unsigned_abs(),
        name: machine.worker.to_string(),
        host: machine.host.to_string(),
        kind: kind(cluster, machine),
        asked: deploy.asked,
        attempts: machine.attempt,
        steps: steps(deploy),
        ready_ms: deploy.ready.map(|ready| between(deploy.asked, ready)),
    }
}

fn kind(cluster: &Cluster, machine: &MachineRecord) -> String {
    let host = cluster.hosts.iter().find(|host| host.name == machine.host);
    match host.map(|host| &host.kind) {
        Some(HostKind::Cloud(cloud)) => {
            let own = machine.template.ec2.as_ref().and_then(|ec2| ec2.instance_type.clone());
            own.unwrap_or_else(|| cloud.instance_type.clone())
        }
        Some(HostKind::Physical(physical)) => match physical.hypervisor {
            Some(Hypervisor::Libvirt(_)) => "libvirt".into(),
            Some(Hypervisor::Driver(_)) => "driver".into(),
            None => "physical".into(),
        },
        None => "no longer in the file".into(),
    }
}

/// From one moment that is known to the next; the stages as the worker timed them.
fn steps(deploy: &Deploy) -> Vec<DeployStep> {
    let (mut steps, mut last) = before_the_join(deploy.asked, &deploy.machine, deploy.stages.first());
    for row in &deploy.stages {
        steps.push(step(row.report.stage.as_str(), row.report.took_ms));
        last = last.max(row.at);
    }
    steps.extend(deploy.ready.map(|ready| step("prove", between(last, ready))));
    steps
}

/// A worker's way before its last join.
pub(super) fn boot(worker: &Worker, machine: &MachineRecord, first: Option<&TimelineRow>) -> Vec<DeployStep> {
    // A later join, after a reboot, says nothing of the machine's first start.
    before_the_join(worker.created, machine, first.filter(|row| row.attempt == 1)).0
}

fn before_the_join(
    asked: Timestamp,
    machine: &MachineRecord,
    first: Option<&TimelineRow>,
) -> (Vec<DeployStep>, Timestamp) {
    let moments = [
        ("prepare", machine.asked),
        ("accept", machine.accepted),
        ("start", machine.running),
        ("boot", first.map(began)),
    ];
    let known = moments.into_iter().filter_map(|(name, at)| Some((name, at?)));
    known.fold((Vec::new(), asked), |(mut steps, last), (name, at)| {
        steps.push(step(name, between(last, at)));
        (steps, last.max(at))
    })
}

fn step(name: &str, took_ms: u64) -> DeployStep {
    DeployStep { step: name.into(), took_ms }
}

/// When the join began, by our clock.
fn began(first: &TimelineRow) -> Timestamp {
    let before = first.report.started_ms.saturating_add(first.report.took_ms);
    let before = jiff::SignedDuration::from_millis(i64::try_from(before).unwrap_or(0));
    first.at.checked_sub(before).unwrap_or(first.at)
}

/// Machines call before they were seen to run, where nobody looks all the time: then it took nothing.
fn between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or(0)
}
