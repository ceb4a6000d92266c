//! Booting on hosts that answer late, twice or never, and what is left when they lose machines or the front-end dies.
#![allow(clippy::unwrap_used)]

mod crash;
mod failures;
mod full;
mod yard;

use std::collections::BTreeSet;

use rstest::rstest;

use crate::lifecycle::BootRequest;
use crate::placement::Strategy;
use crate::provider::fake::Answer;
use crate::worker::WorkerState;
use std::time::Duration;
use yard::{HOSTS, Yard, name, wish};

#[tokio::test]
async fn a_worker_that_was_asked_for_joins_by_itself_and_its_times_are_kept() {
    let yard = Yard::new().await;
    let (worker, _) = yard.ready().await;
    assert_eq!(yard.worker(&worker).host, Some(name(HOSTS[0])));
    let deploys = yard.roster.store().deploys().unwrap();
    let [deploy] = deploys.as_slice() else { panic!("{deploys:#?}") };
    let machine = &deploy.machine;
    let times = [Some(deploy.asked), machine.asked, machine.accepted, machine.running, deploy.ready];
    assert!(times.iter().all(Option::is_some), "{times:?}");
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(deploy.stages.len(), 8, "every stage of its own");
}

#[tokio::test]
async fn two_who_boot_at_once_never_exceed_what_the_hosts_have() {
    let yard = Yard::new().await;
    let (first, second) = tokio::join!(yard.boot(10, None), yard.boot(15, None));
    let booted: BTreeSet<_> = first.workers.iter().chain(&second.workers).map(|booted| &booted.name).collect();
    // 8 processors on each of two hosts, and five instances.
    assert_eq!((booted.len(), first.missing + second.missing), (21, 4));
    let is_booting =
        |yard: &Yard| yard.roster.store().workers().unwrap().iter().all(|w| w.state == WorkerState::Booting);
    yard.until("all booting", is_booting).await;
    assert_eq!([yard.hosts[0].peak(), yard.hosts[1].peak(), yard.cloud.peak()], [8, 8, 5]);
    insta::assert_snapshot!(first.refused.iter().chain(&second.refused).next().unwrap());
}

#[tokio::test]
async fn a_machine_that_is_gone_makes_room_and_one_that_failed_does_too() {
    let yard = Yard::new().await;
    assert_eq!(yard.boot(9, Some(HOSTS[0])).await.workers.len(), 8);
    yard.until("all made", |yard| yard.hosts[0].made().len() == 8).await;
    yard.roster.destroy(&name("w3"), true).unwrap();
    yard.until_state(&name("w3"), WorkerState::Gone).await;
    assert_eq!(yard.boot(2, Some(HOSTS[0])).await.workers.len(), 1);
}

#[rstest]
#[case::at_once(Answer::AtOnce)]
#[case::late(Answer::Late(Duration::from_millis(200)))]
#[case::too_late(Answer::Late(Duration::from_millis(900)))]
#[case::lost(Answer::Lost)]
#[case::never(Answer::Never)]
#[tokio::test]
async fn however_it_answers_there_is_one_machine(#[case] answer: Answer) {
    let yard = Yard::new().await;
    let worker = yard.boot_with(answer).await;
    yard.until_state(&worker, WorkerState::Booting).await;
    let peer = yard.joins(&yard.hosts[0], &worker).await;
    yard.passes(&worker, &peer).await;
    assert_eq!((yard.hosts[0].peak(), yard.machines(&worker).len()), (1, 1));
}

#[tokio::test]
async fn a_host_that_makes_two_of_one_loses_both_and_makes_another() {
    let yard = Yard::new().await;
    let worker = yard.boot_with(Answer::Twice).await;
    yard.until("a second attempt", |yard| yard.machines(&worker).len() == 2).await;
    let one = |yard: &Yard| yard.hosts[0].made().len() == 1 && yard.worker(&worker).state == WorkerState::Booting;
    yard.until("one machine", one).await;
    let peer = yard.joins(&yard.hosts[0], &worker).await;
    yard.passes(&worker, &peer).await;
}

#[tokio::test]
async fn a_host_that_is_throttled_or_dead_for_a_while_is_asked_again() {
    let yard = Yard::new().await;
    let worker = yard.boot_with(Answer::Throttled).await;
    yard.until("asked thrice", |yard| yard.hosts[0].calls().iter().filter(|c| c.starts_with("prov")).count() > 2).await;
    yard.hosts[0].habits(|habits| habits.outage = Some("no route to host".into()));
    tokio::time::sleep(Duration::from_millis(100)).await;
    yard.hosts[0].habits(|habits| (habits.outage, habits.answer) = (None, Answer::AtOnce));
    yard.until_state(&worker, WorkerState::Booting).await;
    assert_eq!(yard.hosts[0].peak(), 1);
}

#[tokio::test]
async fn one_failure_does_not_spoil_the_rest() {
    let yard = Yard::new().await;
    yard.hosts[0].habits(|habits| habits.answer_for = [(name("w2"), Answer::Refused)].into());
    yard.boot(3, Some(HOSTS[0])).await;
    for (worker, state) in [("w1", "booting"), ("w2", "failed:provisioning"), ("w3", "booting")] {
        yard.until_state(&name(worker), state.parse().unwrap()).await;
    }
    insta::assert_snapshot!(yard.worker(&name("w2")).failure.unwrap());
    yard.until("nothing of it", |yard| yard.machines(&name("w2"))[0].destroyed.is_some()).await;
}

#[tokio::test]
async fn a_name_that_is_taken_and_a_host_that_is_none_are_refused() {
    let yard = Yard::new().await;
    let mut named = wish(1, None);
    named.name = Some(name("ada"));
    assert_eq!(yard.roster.boot(named.clone()).await.unwrap().refused, [""; 0]);
    assert_eq!(yard.roster.boot(named).await.unwrap().refused.len(), 1);
    let unknown = yard.roster.boot(wish(1, Some("ursa09"))).await.unwrap();
    insta::assert_snapshot!(unknown.refused.join("\n"));
}

#[tokio::test]
async fn a_dry_run_says_where_each_would_go_and_why_and_asks_for_nothing() {
    let yard = Yard::new().await;
    let dry = BootRequest { dry_run: true, strategy: Strategy::Spread, ..wish(22, None) };
    let answer = yard.roster.boot(dry).await.unwrap();
    let lines = answer.workers.iter().map(|booted| format!("{}: {}", booted.host, booted.why));
    insta::assert_snapshot!(lines.chain(answer.refused).collect::<Vec<_>>().join("\n"));
    assert_eq!(yard.roster.store().workers().unwrap(), []);
    assert!(yard.hosts[0].calls().iter().all(|call| !call.starts_with("provision")));
}
