#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt as _;

use jiff::{Timestamp, ToSpan as _};
use landbridge_node::wire::{MachineFacts, Outcome, Stage, StageReport, Via};
use landbridge_pki::{NodeName, Role};

use super::Sqlite;
use crate::store::{
    HostNews, HostRecord, MachineNews, MachinePlan, Room, Store as _, StoreError, TokenRefusal, WorkerPlan,
};
use crate::worker::WorkerState;

const NOON: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn name(text: &str) -> NodeName {
    NodeName::new(text).unwrap()
}

fn plan(token: u8) -> WorkerPlan {
    WorkerPlan {
        name: None,
        host: None,
        via: Via::Tunnel,
        slots: None,
        subnet: "10.77.0.0/16".parse().unwrap(),
        range: "10.77.1.0/30".parse().unwrap(),
        reserved: vec![name("w2")],
        token: [token; 32],
        token_expires: NOON + 10.minutes(),
    }
}

fn store() -> Sqlite {
    Sqlite::in_memory().unwrap()
}

#[test]
fn workers_get_the_first_free_names_and_different_addresses() {
    let store = store();
    let first = store.plan_worker(&plan(1), NOON).unwrap();
    let second = store.plan_worker(&plan(2), NOON).unwrap();
    assert_eq!((first.name.as_str(), second.name.as_str()), ("w1", "w3"), "w2 is another machine's name");
    assert_ne!(first.address, second.address);
    assert_eq!(store.workers().unwrap(), [first, second]);
}

#[test]
fn a_name_is_taken_until_its_worker_is_gone() {
    let store = store();
    let named = WorkerPlan { name: Some(name("ada")), ..plan(1) };
    let ada = store.plan_worker(&named, NOON).unwrap();
    let again = WorkerPlan { token: [2; 32], ..named };
    store.advance(ada.id, WorkerState::Planned, WorkerState::Ready, NOON).unwrap();
    assert!(matches!(store.plan_worker(&again, NOON), Err(StoreError::NameTaken(n)) if n == name("ada")));
    store.advance(ada.id, WorkerState::Ready, WorkerState::Gone, NOON).unwrap();
    assert_ne!(store.plan_worker(&again, NOON).unwrap().id, ada.id);
}

#[test]
fn a_worker_whose_machine_never_came_gets_a_new_token_and_keeps_its_address() {
    let store = store();
    let named = WorkerPlan { name: Some(name("ada")), ..plan(1) };
    let ada = store.plan_worker(&named, NOON).unwrap();
    store.note_failure(ada.id, Some("the token has expired")).unwrap();
    assert_eq!(store.plan_worker(&WorkerPlan { token: [2; 32], ..named.clone() }, NOON).unwrap(), ada);
    assert_eq!(store.token_owner([1; 32]).unwrap(), None, "the old token is worth nothing");
    assert_eq!(store.token_owner([2; 32]).unwrap(), Some(name("ada")));
    let bridge = WorkerPlan { via: Via::Bridge, token: [3; 32], ..named };
    assert!(matches!(store.plan_worker(&bridge, NOON), Err(StoreError::NameTaken(_))), "another way is another plan");
}

#[test]
fn a_released_address_rests_in_quarantine_and_comes_back() {
    let store = store();
    let range = plan(0).range;
    let mut planned = Vec::new();
    let full = loop {
        let token = u8::try_from(planned.len()).unwrap();
        match store.plan_worker(&plan(token), NOON) {
            Ok(worker) => planned.push(worker),
            Err(full) => break full,
        }
    };
    assert!(matches!(full, StoreError::NoAddress { range: r, quarantined: 0, .. } if r == range), "{full}");
    let first = &planned[0];
    store.release(first.id, 10.minutes(), NOON).unwrap();
    store.release(first.id, 10.minutes(), NOON + 9.minutes()).unwrap();
    let during = store.plan_worker(&plan(99), NOON + 9.minutes());
    assert!(matches!(during, Err(StoreError::NoAddress { quarantined: 1, .. })));
    assert_eq!(store.plan_worker(&plan(99), NOON + 10.minutes()).unwrap().address, first.address);
}

#[test]
fn a_lost_lease_comes_back_unless_another_has_the_address_by_now() {
    let store = store();
    let first = store.plan_worker(&plan(1), NOON).unwrap();
    store.db().execute("DELETE FROM lease", []).unwrap();
    store.lease_again(first.id).unwrap();
    assert_eq!(store.leases(NOON).unwrap(), [(first.address, None)]);
    store.release(first.id, 10.minutes(), NOON).unwrap();
    store.lease_again(first.id).unwrap();
    store.lease_again(first.id).unwrap();
    assert_eq!(store.leases(NOON).unwrap(), [(first.address, None)], "twice is once");

    store.db().execute("DELETE FROM lease", []).unwrap();
    let second = store.plan_worker(&plan(2), NOON).unwrap();
    assert_eq!(second.address, first.address);
    let taken = store.lease_again(first.id);
    assert!(matches!(taken, Err(StoreError::AddressTaken { id }) if id == first.id), "{taken:?}");
}

#[test]
fn a_state_advances_only_from_where_it_was() {
    let store = store();
    let id = store.plan_worker(&plan(1), NOON).unwrap().id;
    assert!(store.advance(id, WorkerState::Planned, WorkerState::Joining(Stage::Link), NOON).unwrap());
    assert!(!store.advance(id, WorkerState::Planned, WorkerState::Ready, NOON).unwrap());
    assert_eq!(store.workers().unwrap()[0].state, WorkerState::Joining(Stage::Link));
}

#[test]
fn a_token_is_good_for_one_key_until_it_expires() {
    let store = store();
    let worker = store.plan_worker(&plan(1), NOON).unwrap();
    let redeem = |key: u8, now| store.redeem([1; 32], Role::Worker, Some(Via::Tunnel), [key; 32], now).unwrap();
    let first = redeem(7, NOON).unwrap();
    assert_eq!((&first.name, first.again), (&worker.name, false));
    assert!(redeem(7, NOON + 1.minute()).unwrap().again, "an interrupted join may ask again");
    assert_eq!(redeem(8, NOON), Err(TokenRefusal::Used(NOON)));
    assert_eq!(redeem(7, NOON + 10.minutes()), Err(TokenRefusal::Expired(NOON + 10.minutes())));
}

#[test]
fn a_token_for_another_purpose_is_refused_and_not_used_up() {
    let store = store();
    store.plan_worker(&plan(1), NOON).unwrap();
    store.plan_host(&name("ursa01"), [5; 32], NOON + 1.hour()).unwrap();
    let redeem = |token: u8, role, via| store.redeem([token; 32], role, via, [7; 32], NOON).unwrap();
    assert_eq!(redeem(9, Role::Worker, Some(Via::Tunnel)), Err(TokenRefusal::Unknown));
    assert_eq!(redeem(1, Role::Host, None), Err(TokenRefusal::WrongRole(Role::Worker)));
    assert_eq!(redeem(1, Role::Worker, Some(Via::Bridge)), Err(TokenRefusal::WrongWay(Via::Tunnel)));
    assert_eq!(redeem(5, Role::Worker, Some(Via::Tunnel)), Err(TokenRefusal::WrongRole(Role::Host)));
    assert_eq!(redeem(1, Role::Worker, Some(Via::Tunnel)).unwrap().name, name("w1"));
    assert_eq!(redeem(5, Role::Host, None).unwrap().name, name("ursa01"));
}

#[test]
fn a_timeline_is_the_latest_attempts_and_keeps_the_last_word_of_each_stage() {
    let store = store();
    let id = store.plan_worker(&plan(1), NOON).unwrap().id;
    let facts = MachineFacts { cpus: 2, ..MachineFacts::default() };
    let report = |stage, took_ms| StageReport { stage, outcome: Outcome::Passed, started_ms: 0, took_ms };
    assert_eq!(store.begin_attempt(id, &facts, 2, NOON).unwrap(), 1);
    store.record_stage(id, &report(Stage::Link, 40), NOON).unwrap();
    assert_eq!(store.begin_attempt(id, &facts, 4, NOON).unwrap(), 2);
    store.record_stage(id, &report(Stage::Link, 50), NOON).unwrap();
    store.record_stage(id, &report(Stage::Contact, 10), NOON).unwrap();
    store.record_stage(id, &report(Stage::Link, 60), NOON).unwrap();
    let rows = store.timeline(id).unwrap();
    let seen: Vec<_> = rows.iter().map(|r| (r.attempt, r.report.stage, r.report.took_ms)).collect();
    assert_eq!(seen, [(2, Stage::Contact, 10), (2, Stage::Link, 60)]);
    assert_eq!(store.workers().unwrap()[0].slots, 2, "slots follow the first join");
}

#[test]
fn an_address_is_nobody_elses_while_the_machine_that_had_it_may_still_run() {
    let store = store();
    let machine = MachinePlan {
        host: name("ursa01"),
        template: crate::template::example(),
        cpu: 100,
        memory_mib: 128,
        room: Room { cpu: 800, memory_mib: 8192, machines: None },
        patience: jiff::SignedDuration::from_mins(5),
        elsewhere: None,
    };
    let worker = store.plan_machine(&plan(1), &machine, NOON).unwrap();
    store.note_machine(worker.id, 1, &MachineNews::Asked, NOON).unwrap();
    store.release(worker.id, 10.minutes(), NOON).unwrap();
    let later = NOON + 11.minutes();
    let next = store.plan_worker(&plan(2), later).unwrap();
    assert_ne!(next.address, worker.address, "its quarantine is over, and its host could not be asked to end it");
    store.note_machine(worker.id, 1, &MachineNews::Destroyed, later).unwrap();
    assert_eq!(store.plan_worker(&plan(3), later).unwrap().address, worker.address);
}

#[test]
fn changes_are_counted_when_somebody_comes_moves_or_goes_and_at_no_other_time() {
    let store = store();
    let mut last = store.roll_changes().unwrap();
    let mut rose = |store: &Sqlite| {
        let now = store.roll_changes().unwrap();
        std::mem::replace(&mut last, now) != now
    };
    let w1 = store.plan_worker(&plan(1), NOON).unwrap();
    assert!(rose(&store), "a worker came");
    store.note_seen(w1.id, NOON).unwrap();
    store.note_failure(w1.id, Some("no")).unwrap();
    store.begin_attempt(w1.id, &MachineFacts::default(), 2, NOON).unwrap();
    assert!(!rose(&store), "it was heard of");
    store.advance(w1.id, WorkerState::Planned, WorkerState::Ready, NOON).unwrap();
    assert!(rose(&store), "its state is another");
    assert_eq!(store.roll().unwrap(), [(w1.host_entry(), WorkerState::Ready)]);
    store.plan_host(&name("ursa01"), [5; 32], NOON).unwrap();
    assert!(rose(&store), "a host is expected");
    for news in [HostNews::Enrolled(MachineFacts::default()), HostNews::Leaving] {
        store.note_host(&name("ursa01"), &news, NOON).unwrap();
        assert!(rose(&store), "{news:?}");
    }
    store.note_host(&name("ursa01"), &HostNews::Seen, NOON).unwrap();
    assert!(!rose(&store), "it was heard of");
    store.plan_host(&name("ursa01"), [6; 32], NOON).unwrap();
    assert!(rose(&store), "it is to stay after all");
    store.forget_host(&name("ursa01")).unwrap();
    assert!(rose(&store), "the host went");
    store.advance(w1.id, WorkerState::Ready, WorkerState::Gone, NOON).unwrap();
    assert!(rose(&store), "the worker went");
    assert_eq!(store.roll().unwrap(), []);
}

#[test]
fn hosts_and_events_are_read_as_they_were_written() {
    let store = store();
    store.plan_host(&name("ursa01"), [5; 32], NOON).unwrap();
    let host = HostRecord {
        name: name("ursa01"),
        enrolled: Some(NOON),
        seen: Some(NOON),
        leaving: true,
        generation: 7,
        failure: Some("no 802.1Q".into()),
        facts: Some(MachineFacts::default()),
    };
    let failure = host.failure.clone();
    let reported = HostNews::Reported { generation: 7, failure, facts: MachineFacts::default() };
    for news in [HostNews::Enrolled(MachineFacts::default()), HostNews::Leaving, HostNews::Seen, reported.clone()] {
        store.note_host(&name("ursa01"), &news, NOON).unwrap();
    }
    assert_eq!(store.hosts().unwrap(), [host]);
    store.forget_host(&name("ursa01")).unwrap();
    store.note_host(&name("ursa01"), &reported, NOON).unwrap();
    assert_eq!(store.hosts().unwrap(), [], "its last report came late");
    store.record_event("w1", "joined", NOON).unwrap();
    store.record_event("w1", "left", NOON).unwrap();
    let texts: Vec<_> = store.events(10).unwrap().into_iter().map(|e| e.text).collect();
    assert_eq!(texts, ["left", "joined"]);
}

#[test]
fn the_file_is_private_and_a_newer_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("landbridge.db");
    drop(Sqlite::open(&path).unwrap());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Sqlite::open(&path), Err(StoreError::TooNew { found: 99, .. })));
}
