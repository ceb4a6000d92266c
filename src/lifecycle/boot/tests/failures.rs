//! Machines that never call, vanish, or are taken back; and a front-end that dies in between.

use std::os::unix::fs::PermissionsExt as _;

use jiff::{SignedDuration, Timestamp};
use landbridge_node::wire::{Failure, Outcome, Stage, StageNews, StageReport};
use landbridge_pki::NodeName;
use rstest::rstest;

use super::yard::{HOSTS, Yard, name, wish};
use crate::enroll::Gate as _;
use crate::lifecycle::{BootRequest, Doorkeeper};
use crate::provider::fake::{Answer, FakeProvider};
use crate::worker::{FailedAt, WorkerState};

fn short(secs: u32) -> BootRequest {
    BootRequest { patience_secs: Some(secs), ..wish(1, Some(HOSTS[0])) }
}

#[tokio::test]
async fn a_machine_that_never_calls_is_destroyed_and_its_console_kept() {
    let yard = Yard::new().await;
    yard.roster.boot(short(1)).await.unwrap();
    let w1 = name("w1");
    yard.until_state(&w1, WorkerState::Failed(FailedAt::Booting)).await;
    yard.until("destroyed", |yard| yard.machines(&w1)[0].destroyed.is_some()).await;
    assert_eq!(yard.hosts[0].made(), []);
    let console = yard.machines(&w1)[0].console.clone().unwrap();
    assert_eq!(std::fs::metadata(&console).unwrap().permissions().mode() & 0o777, 0o600);
    let text = yard.roster.console(&yard.worker(&w1)).await.unwrap();
    assert_eq!(text.as_deref(), Some("lb-ursa-w1-1-1 starts\n"));
    insta::assert_snapshot!(yard.worker(&w1).failure.unwrap());
}

#[tokio::test]
async fn the_first_stage_that_failed_is_named_and_what_joined_is_locked_out() {
    let yard = Yard::new().await;
    yard.roster.boot(short(2)).await.unwrap();
    let w1 = name("w1");
    yard.until_state(&w1, WorkerState::Booting).await;
    let peer = yard.joins(&yard.hosts[0], &w1).await;
    let why = Failure { expected: "a mount".into(), seen: "a refusal".into(), remedy: "look at the exports".into() };
    let report = StageReport { stage: Stage::Nfs, outcome: Outcome::Failed(why), started_ms: 0, took_ms: 1 };
    let news = StageNews { stages: vec![report], word: None };
    let door = Doorkeeper(std::sync::Arc::clone(&yard.roster));
    door.stages(peer.clone(), news.clone()).await.unwrap();
    yard.until("destroyed", |yard| yard.machines(&w1)[0].destroyed.is_some()).await;
    assert_eq!(yard.worker(&w1).state, WorkerState::Failed(Stage::Nfs.into()));
    assert_eq!(yard.worker(&w1).failure.as_deref(), Some("expected a mount; saw a refusal; look at the exports"));
    assert!(door.stages(peer, news).await.is_err(), "its certificate is revoked");
    let text = yard.roster.console(&yard.worker(&w1)).await.unwrap();
    assert_eq!(text.as_deref(), Some("lb-ursa-w1-1-1 starts\n"), "what it wrote is kept");
}

#[tokio::test]
async fn a_ready_worker_that_boots_again_may_take_its_time() {
    let yard = Yard::new().await;
    yard.roster.boot(short(1)).await.unwrap();
    let w1 = name("w1");
    yard.until_state(&w1, WorkerState::Booting).await;
    let peer = yard.joins(&yard.hosts[0], &w1).await;
    yard.passes(&w1, &peer).await;
    let worker = yard.worker(&w1);
    let joins = WorkerState::Joining(Stage::Identity);
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    assert!(yard.roster.store().advance(worker.id, worker.state, joins, Timestamp::now()).unwrap());
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!((yard.worker(&w1).state, yard.hosts[0].made().len()), (joins, 1));
}

#[rstest]
#[case::gone(FakeProvider::lose)]
#[case::off(FakeProvider::switch_off)]
#[tokio::test]
async fn a_worker_whose_machine_is_lost_leaves_and_nothing_stays(#[case] lose: fn(&FakeProvider, &NodeName)) {
    let yard = Yard::new().await;
    let (worker, _) = yard.ready().await;
    lose(&yard.hosts[0], &worker);
    yard.until("leaving", |yard| !yard.worker(&worker).state.was_proved()).await;
    // It answers pings in this test, as no machine that is lost would; so its word is needed.
    yard.roster.hear_goodbye(&yard.worker(&worker)).unwrap();
    yard.until_state(&worker, WorkerState::Gone).await;
    assert!(yard.machines(&worker)[0].destroyed.is_some());
    assert_eq!(yard.queue.worker(&worker), None);
}

#[tokio::test]
async fn a_machine_that_can_not_be_ended_is_told_of_until_it_is() {
    let yard = Yard::new().await;
    let (worker, _) = yard.ready().await;
    yard.hosts[0].habits(|habits| habits.outage = Some("You are not authorized to perform this operation.".into()));
    yard.roster.destroy(&worker, true).unwrap();
    yard.until("leaving", |yard| matches!(yard.worker(&worker).state, WorkerState::Leaving(_))).await;
    yard.roster.hear_goodbye(&yard.worker(&worker)).unwrap();
    yard.until("told", |yard| yard.roster.trouble(&worker).is_some()).await;
    let told = yard.roster.trouble(&worker).unwrap();
    assert!(told.contains("not authorized"), "{told}");
    yard.until("the host too", |yard| yard.roster.trouble(&name(HOSTS[0])).is_some()).await;

    yard.hosts[0].habits(|habits| habits.outage = None);
    yard.until_state(&worker, WorkerState::Gone).await;
    assert_eq!(yard.roster.trouble(&worker), None);
    yard.until("all well", |yard| yard.roster.trouble(&name(HOSTS[0])).is_none()).await;
}

#[tokio::test]
async fn a_machine_that_vanishes_before_it_called_has_failed() {
    let yard = Yard::new().await;
    let worker = yard.boot_with(Answer::AtOnce).await;
    yard.until_state(&worker, WorkerState::Booting).await;
    yard.hosts[0].lose(&worker);
    yard.until_state(&worker, WorkerState::Failed(FailedAt::Booting)).await;
    yard.until("destroyed", |yard| yard.machines(&worker)[0].destroyed.is_some()).await;
}

#[tokio::test]
async fn why_a_machine_went_before_it_called_is_told_in_its_hosts_words() {
    let yard = Yard::new().await;
    let worker = yard.boot_with(Answer::AtOnce).await;
    yard.until("running", |yard| yard.machines(&worker).iter().any(|record| record.running.is_some())).await;
    yard.hosts[0].switch_off(&worker);
    yard.until_state(&worker, WorkerState::Failed(FailedAt::Booting)).await;
    insta::assert_snapshot!(
        yard.worker(&worker).failure.unwrap(),
        @"expected its machine on ursa01; saw none any more: somebody switched it off; look at ursa01, then boot another worker"
    );
}

#[tokio::test]
async fn a_machine_that_is_taken_back_drains_and_goes() {
    let yard = Yard::new().await;
    let (worker, peer) = yard.ready().await;
    yard.queue.set(&worker, |worker| worker.running = 1);
    yard.hosts[0].reclaim(&worker, Timestamp::now() + SignedDuration::from_mins(2));
    yard.until("closed", |yard| !yard.queue.worker(&worker).unwrap().open).await;
    yard.queue.set(&worker, |worker| worker.running = 0);
    yard.until("asked to undo", |yard| yard.worker(&worker).state.to_string() == "leaving:undo").await;
    Doorkeeper(std::sync::Arc::clone(&yard.roster)).left(peer).await.unwrap();
    yard.until_state(&worker, WorkerState::Gone).await;
    assert_eq!(yard.hosts[0].made(), []);
}

#[rstest]
#[case(Answer::Never)]
#[case(Answer::Late(std::time::Duration::from_millis(300)))]
#[tokio::test]
async fn a_worker_that_is_sent_away_while_its_machine_is_made_leaves_none(#[case] answer: Answer) {
    let yard = Yard::new().await;
    let worker = yard.boot_with(answer).await;
    yard.until_state(&worker, WorkerState::Provisioning).await;
    yard.roster.destroy(&worker, true).unwrap();
    yard.until_state(&worker, WorkerState::Gone).await;
    yard.until("no machine", |yard| yard.hosts[0].made().is_empty()).await;
}

#[tokio::test]
async fn a_machine_of_an_attempt_that_was_given_up_goes_when_it_turns_up() {
    let yard = Yard::new().await;
    let worker = yard.boot_with(Answer::AtOnce).await;
    yard.until_state(&worker, WorkerState::Booting).await;
    let launch = yard.hosts[0].made()[0].launch.clone();
    yard.roster.destroy(&worker, true).unwrap();
    yard.until_state(&worker, WorkerState::Gone).await;
    yard.hosts[0].stray(launch);
    yard.until("no machine", |yard| yard.hosts[0].made().is_empty()).await;
}
