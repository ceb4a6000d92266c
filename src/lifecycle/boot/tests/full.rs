//! Hosts that turn out full, whatever was believed of them.

use super::yard::{HOSTS, Yard, name, wish};
use crate::lifecycle::BootRequest;
use crate::worker::{FailedAt, WorkerState};
use landbridge_node::wire::Via;

impl Yard {
    /// These have no room for any machine, and only then say so.
    fn are_full(&self, hosts: &[usize]) {
        for host in hosts {
            self.hosts[*host].habits(|habits| habits.most = Some(0));
        }
    }

    async fn boot_anywhere(&self) {
        assert_eq!(self.boot(1, None).await.workers[0].host, name(HOSTS[0]));
    }
}

#[tokio::test]
async fn a_host_that_is_full_after_all_sends_its_worker_to_the_next() {
    let yard = Yard::new().await;
    yard.are_full(&[0]);
    yard.boot_anywhere().await;
    let w1 = name("w1");
    yard.until_state(&w1, WorkerState::Booting).await;
    let machines = yard.machines(&w1);
    let tried: Vec<_> =
        machines.iter().map(|m| (m.host.as_str(), m.refused.as_deref(), m.destroyed.is_some())).collect();
    assert_eq!(tried, [(HOSTS[0], Some("no capacity"), true), (HOSTS[1], None, false)]);
    assert_eq!((yard.hosts[0].peak(), yard.hosts[1].peak(), yard.cloud.peak()), (0, 1, 0));
    assert_eq!(yard.worker(&w1).host, Some(name(HOSTS[1])));
    let peer = yard.joins(&yard.hosts[1], &w1).await;
    yard.passes(&w1, &peer).await;
}

#[tokio::test]
async fn behind_the_last_physical_host_is_the_cloud_and_its_tunnel() {
    let yard = Yard::new().await;
    yard.are_full(&[0, 1]);
    yard.boot_anywhere().await;
    let w1 = name("w1");
    yard.until_state(&w1, WorkerState::Booting).await;
    assert_eq!((yard.worker(&w1).via, yard.cloud.peak()), (Via::Tunnel, 1));
    let record = yard.machines(&w1).pop().unwrap();
    assert_eq!((record.attempt, record.cpu, record.memory_mib), (3, 100, 1740), "an instance is taken whole");
    assert_eq!(yard.roster.admitted().unwrap(), [w1]);
}

#[tokio::test]
async fn where_all_are_full_each_is_named() {
    let yard = Yard::new().await;
    yard.are_full(&[0, 1]);
    yard.cloud.habits(|habits| habits.most = Some(0));
    yard.boot_anywhere().await;
    let w1 = name("w1");
    yard.until_state(&w1, WorkerState::Failed(FailedAt::Provisioning)).await;
    insta::assert_snapshot!(yard.worker(&w1).failure.unwrap());
    yard.until("nothing of it", |yard| yard.roster.store().machines().unwrap().is_empty()).await;
}

#[tokio::test]
async fn the_host_that_a_person_has_named_is_the_only_one() {
    let yard = Yard::new().await;
    yard.are_full(&[0]);
    yard.boot(1, Some(HOSTS[0])).await;
    yard.until_state(&name("w1"), WorkerState::Failed(FailedAt::Provisioning)).await;
    assert_eq!((yard.machines(&name("w1")).len(), yard.hosts[1].peak()), (1, 0));
}

#[tokio::test]
async fn a_person_s_patience_goes_with_the_worker() {
    let yard = Yard::new().await;
    yard.are_full(&[0]);
    yard.roster.boot(BootRequest { patience_secs: Some(77), ..wish(1, None) }).await.unwrap();
    yard.until("on the next host", |yard| yard.machines(&name("w1")).len() == 2).await;
    assert!(yard.machines(&name("w1")).iter().all(|machine| machine.patience.as_secs() == 77));
}
