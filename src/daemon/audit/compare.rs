//! What doesn't agree. Pure.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use landbridge_node::wire::Via;
use landbridge_pki::NodeName;

use super::sides::{HostSide, Sides};
use super::{AuditFinding, Mend};
use crate::provider::{Leftover, LeftoverKind, Machine, MachineState};
use crate::store::MachineRecord;
use crate::worker::{Worker, WorkerState};

/// A machine that was accepted is shown after this long.
const SHOWN: SignedDuration = SignedDuration::from_mins(1);

/// Everything that one side has and the other doesn't.
pub(super) fn compare(sides: &Sides) -> Vec<AuditFinding> {
    let names: BTreeSet<NodeName> = sides.before.iter().chain(&sides.workers).map(|w| w.name.clone()).collect();
    let stray = |place: &str, seen: &BTreeSet<NodeName>, what: &str, mend: fn(NodeName) -> Mend| -> Vec<AuditFinding> {
        seen.difference(&names).map(|name| finding(place, name.as_str(), what, Some(mend(name.clone())))).collect()
    };
    let mut findings = match &sides.queue {
        Ok(known) => stray("queue", known, "the queue knows an execution host that is no worker", Mend::Dequeue),
        Err(why) => vec![finding("queue", "-", &format!("it could not be asked: {why}"), None)],
    };
    findings.extend(stray(
        "tunnel",
        &sides.admitted,
        "the tunnel server admits a machine that is no worker",
        Mend::Cut,
    ));
    findings.extend(stray("certificate", &sides.certificates, "a live certificate belongs to no worker", Mend::Revoke));
    findings.extend(sides.workers.iter().flat_map(|worker| missing(worker, sides)));
    let leased: BTreeSet<_> = sides.before.iter().chain(&sides.workers).map(|w| w.address).collect();
    let idle = sides.leases.difference(&leased);
    findings.extend(idle.map(|address| {
        finding("lease", &address.to_string(), "a lease belongs to no worker", Some(Mend::Release(*address)))
    }));
    for (host, side) in &sides.hosts {
        match side {
            Ok(side) => findings.extend(of_host(host, side, sides)),
            Err(why) => findings.push(finding("host", host.as_str(), &format!("it could not be asked: {why}"), None)),
        }
    }
    findings
}

/// What a ready worker should have and hasn't.
fn missing(worker: &Worker, sides: &Sides) -> Vec<AuditFinding> {
    if !matches!(worker.state, WorkerState::Ready | WorkerState::Draining | WorkerState::Drained) {
        return Vec::new();
    }
    let lacks = |place: &str, has: bool, what: &str, mend: Option<Mend>| {
        (!has).then(|| finding(place, worker.name.as_str(), what, mend))
    };
    let prepare = || Some(Mend::Prepare(worker.name.clone()));
    let lease = || Some(Mend::Lease(worker.name.clone()));
    // Only its machine can ask for one, and with a token: jobs may run there, and nobody ends them unasked.
    let uncertified = format!(
        "this worker has no live certificate: landbridge worker drain {0}, then landbridge worker destroy {0}",
        worker.name
    );
    let tunnel = worker.via == Via::Bridge || sides.admitted.contains(&worker.name);
    let queue = !sides.has_queue || sides.queue.as_ref().map_or(true, |known| known.contains(&worker.name));
    [
        lacks("tunnel", tunnel, "the tunnel server doesn't admit this worker", prepare()),
        lacks("queue", queue, "the queue doesn't know this worker", prepare()),
        lacks("certificate", sides.certificates.contains(&worker.name), &uncertified, None),
        lacks("lease", sides.leases.contains(&worker.address), "this worker's address is not leased", lease()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn of_host(host: &NodeName, side: &HostSide, sides: &Sides) -> Vec<AuditFinding> {
    let records: Vec<&MachineRecord> = sides.machines.iter().filter(|record| record.host == *host).collect();
    let stays = |m: &&Machine| !matches!(m.state, MachineState::Stopping | MachineState::Gone);
    let stray =
        side.machines.iter().filter(stays).filter(|machine| !records.iter().any(|record| is_of(machine, record)));
    let stray = stray.map(|machine| {
        let what = format!("{host} has the machine {}, which no record knows", machine.id.0);
        finding("machine", &machine.launch.name(), &what, Some(Mend::Destroy(host.clone(), machine.launch.clone())))
    });
    let left = side.leftovers.iter().filter(|left| is_stray(left, &records, side)).map(|left| {
        let what = format!("{host} has it, and no machine of ours needs it");
        finding(place(left.kind), &left.id, &what, Some(Mend::Remove(host.clone(), left.clone())))
    });
    let lost =
        sides.alive.iter().filter(|r| r.host == *host).filter(|record| is_lost(record, side, sides)).map(|record| {
            let what = format!("its machine {} is not on {host}", record.id.as_deref().unwrap_or("(unnamed)"));
            finding("machine", record.worker.as_str(), &what, Some(Mend::Leave(record.worker.clone())))
        });
    stray.chain(left).chain(lost).collect()
}

fn is_of(machine: &Machine, record: &MachineRecord) -> bool {
    (machine.launch.worker_id, machine.launch.attempt) == (record.worker_id, record.attempt)
}

/// What is one worker's goes with its machine's record; what is the whole cluster's when no machine is there any more.
fn is_stray(left: &Leftover, records: &[&MachineRecord], side: &HostSide) -> bool {
    match left.worker_id {
        Some(id) => !records.iter().any(|record| record.worker_id == id),
        None => records.is_empty() && side.machines.iter().all(|machine| machine.state == MachineState::Gone),
    }
}

/// Whoever still waits for a machine, has failed, or leaves, is seen to anyway.
fn is_lost(record: &MachineRecord, side: &HostSide, sides: &Sides) -> bool {
    let shown = side.machines.iter().any(|machine| is_of(machine, record) && machine.state != MachineState::Gone);
    let worker = sides.workers.iter().find(|worker| worker.id == record.worker_id);
    let expects = worker.is_some_and(|w| w.state.was_proved() || matches!(w.state, WorkerState::Joining(_)));
    !shown && expects && record.accepted.is_some_and(|at| at + SHOWN <= sides.now)
}

fn place(kind: LeftoverKind) -> &'static str {
    match kind {
        LeftoverKind::Volume => "volume",
        LeftoverKind::Seed => "seed",
        LeftoverKind::SecurityGroup => "security group",
    }
}

fn finding(place: &str, name: &str, what: &str, mend: Option<Mend>) -> AuditFinding {
    AuditFinding { place: place.into(), name: name.into(), what: what.into(), mend }
}
