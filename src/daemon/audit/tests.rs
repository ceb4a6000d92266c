#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use landbridge_node::wire::Via;
use landbridge_pki::NodeName;

use super::compare::compare;
use super::sides::{HostSide, Sides};
use super::{AuditFinding, Mend};
use crate::provider::{Launch, Leftover, LeftoverKind, Machine, MachineId, MachineState};
use crate::spec::ClusterName;
use crate::store::MachineRecord;
use crate::worker::{Worker, WorkerState};

const NOON: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn name(text: &str) -> NodeName {
    NodeName::new(text).unwrap()
}

fn worker(id: i64) -> Worker {
    Worker {
        id,
        name: name(&format!("w{id}")),
        host: Some(name("ursa01")),
        booted: true,
        via: Via::Bridge,
        address: [10, 77, 1, u8::try_from(id).unwrap()].into(),
        slots: 1,
        state: WorkerState::Ready,
        failure: None,
        created: NOON,
        changed: NOON,
        ready: Some(NOON),
        seen: Some(NOON),
        facts: None,
    }
}

fn machine(worker_id: i64) -> Machine {
    let cluster = ClusterName::new("ursa").unwrap();
    let launch = Launch { cluster, worker: name(&format!("w{worker_id}")), worker_id, attempt: 1 };
    let id = MachineId(format!("domain-{worker_id}"));
    Machine {
        id,
        launch,
        state: MachineState::Running,
        address: None,
        started: None,
        reclaimed_at: None,
        because: None,
    }
}

fn volume(worker_id: Option<i64>) -> Leftover {
    let id = worker_id.map_or("group".into(), |id| format!("disk-{id}"));
    let kind = if worker_id.is_some() { LeftoverKind::Volume } else { LeftoverKind::SecurityGroup };
    Leftover { kind, id, worker_id, worker: None }
}

/// One worker, and everything that it should have.
fn agreed() -> Sides {
    let side = HostSide { machines: vec![machine(1)], leftovers: vec![volume(Some(1)), volume(None)] };
    Sides {
        before: vec![worker(1)],
        workers: vec![worker(1)],
        machines: vec![MachineRecord::example(1)],
        alive: vec![MachineRecord::example(1)],
        has_queue: true,
        queue: Ok(BTreeSet::from([name("w1")])),
        admitted: BTreeSet::new(),
        certificates: BTreeSet::from([name("w1")]),
        leases: BTreeSet::from([[10, 77, 1, 1].into()]),
        hosts: BTreeMap::from([(name("ursa01"), Ok(side))]),
        now: NOON + SignedDuration::from_mins(2),
    }
}

fn host(sides: &mut Sides) -> &mut HostSide {
    sides.hosts.get_mut(&name("ursa01")).unwrap().as_mut().unwrap()
}

fn told(findings: &[AuditFinding]) -> String {
    let lines = findings.iter().map(|f| format!("{:<15} {:<20} {}", f.place, f.name, f.what));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn two_sides_that_agree_are_not_spoken_of() {
    assert_eq!(compare(&agreed()), []);
}

#[test]
fn what_only_the_other_side_has_is_told_and_can_be_put_right() {
    let mut sides = agreed();
    host(&mut sides).machines.push(machine(9));
    host(&mut sides).leftovers.push(volume(Some(8)));
    sides.queue.as_mut().unwrap().insert(name("w7"));
    sides.admitted.insert(name("w6"));
    sides.certificates.insert(name("w5"));
    sides.leases.insert([10, 77, 1, 4].into());
    let findings = compare(&sides);
    assert!(findings.iter().all(|finding| finding.mend.is_some()), "{findings:?}");
    insta::assert_snapshot!(told(&findings));
}

#[test]
fn what_a_ready_worker_lacks_is_told_and_given_back_where_that_can_be_done() {
    let mut sides = agreed();
    sides.workers[0].via = Via::Tunnel;
    sides.queue = Ok(BTreeSet::new());
    sides.certificates.clear();
    sides.leases.clear();
    let findings = compare(&sides);
    let mends: Vec<_> = findings.iter().map(|finding| finding.mend.clone()).collect();
    let prepare = Some(Mend::Prepare(name("w1")));
    assert_eq!(mends, [prepare.clone(), prepare, None, Some(Mend::Lease(name("w1")))]);
    insta::assert_snapshot!(told(&findings));
    sides.has_queue = false;
    assert_eq!(compare(&sides).len(), 3, "who has no queue lacks no place in it");
}

#[test]
fn a_record_without_a_machine_lets_its_worker_go() {
    let mut sides = agreed();
    *host(&mut sides) = HostSide::default();
    let findings = compare(&sides);
    assert_eq!(findings.iter().map(|f| f.mend.clone()).collect::<Vec<_>>(), [Some(Mend::Leave(name("w1")))]);
    sides.now = NOON;
    assert_eq!(compare(&sides), [], "a new machine may be shown late");
}

#[test]
fn a_side_that_could_not_be_asked_is_told_and_nothing_follows_from_it() {
    let mut sides = agreed();
    sides.hosts.insert(name("ursa01"), Err("no route to host".into()));
    sides.queue = Err("no queue master".into());
    let findings = compare(&sides);
    assert!(findings.iter().all(|finding| finding.mend.is_none()), "{findings:?}");
    insta::assert_snapshot!(told(&findings));
}

#[test]
fn what_comes_or_goes_while_everybody_is_asked_is_nobodys_fault() {
    let mut sides = agreed();
    // w2 was there before, and is gone: its certificate was listed in between.
    sides.before.push(worker(2));
    sides.machines.push(MachineRecord::example(2));
    sides.certificates.insert(name("w2"));
    sides.queue.as_mut().unwrap().insert(name("w2"));
    host(&mut sides).machines.push(machine(2));
    assert_eq!(compare(&sides), []);
}

#[test]
fn what_is_the_whole_clusters_stays_while_a_machine_needs_it() {
    let mut sides = agreed();
    sides.machines.clear();
    sides.alive.clear();
    sides.workers[0].booted = false;
    *host(&mut sides) = HostSide { machines: vec![], leftovers: vec![volume(None)] };
    assert_eq!(told(&compare(&sides)).lines().count(), 1);
}
