//! What people ask for and can't have, and whom they shut out.

use landbridge_pki::authority::CertificateSpec;
use rstest::rstest;

use super::*;
use crate::store::HostNews;

fn name(text: &str) -> NodeName {
    NodeName::new(text).unwrap()
}

fn wish(worker: Option<&str>, via: Via, host: Option<&str>) -> TokenRequest {
    TokenRequest { name: worker.map(name), via, host: host.map(name), slots: None, life_secs: 600 }
}

#[rstest]
#[case::of_the_resolver(
    wish(Some("localhost"), Via::Bridge, None),
    "the name localhost is taken, by a machine that is not gone or by its own meaning: choose another"
)]
#[case::of_the_queue(
    wish(Some("global"), Via::Bridge, None),
    "the name global is taken, by a machine that is not gone or by its own meaning: choose another"
)]
#[case::of_a_host(
    wish(Some("ursa01"), Via::Bridge, None),
    "the name ursa01 is taken, by a machine that is not gone or by its own meaning: choose another"
)]
#[case::nowhere(wish(None, Via::Bridge, Some("ursa99")), "there is no host ursa99")]
#[case::no_bridge(
    wish(None, Via::Bridge, Some("ec2")),
    "ec2 is a cloud and has no bridge: its workers come with --via tunnel"
)]
#[tokio::test]
async fn a_worker_that_can_not_be_is_refused_and_nothing_is_planned(
    #[case] wish: TokenRequest,
    #[case] expected: &str,
) {
    let house = house();
    assert_eq!(house.roster.offer(wish).await.unwrap_err().to_string(), expected);
    assert_eq!(house.roster.store().workers().unwrap(), []);
}

#[tokio::test]
async fn a_host_with_workers_on_it_is_let_go_only_by_force() {
    let house = house();
    house.enrol("ursa01");
    let offer = house.roster.offer(wish(None, Via::Bridge, Some("ursa01"))).await.unwrap();
    house.join(&offer, &KeyPair::generate().unwrap()).await.unwrap();
    let refused = house.roster.remove_host(&name("ursa01")).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "ursa01 has workers on it: w1; destroy them and wait until they are gone, or take it out anyway with --force"
    );
    assert!(house.roster.forget_host(&name("ursa01")).await.unwrap());
}

#[tokio::test]
async fn a_host_that_is_revoked_is_of_the_segment_no_more() {
    let house = house();
    house.enrol("ursa01");
    house.enrol("ursa02");
    let members = || super::super::members(&house.roster.cluster(), house.roster.store()).unwrap();
    assert_eq!(members().len(), 2);
    assert!(house.roster.revoke(&name("ursa01")).await.unwrap());
    assert_eq!(members().len(), 1);

    house.roster.lock_out(&name("ursa02")).unwrap();
    assert_eq!(members().len(), 1, "as a crash left it");
    house.roster.resume().await.unwrap();
    assert_eq!(members().len(), 0);
}

#[tokio::test]
async fn the_front_end_is_not_revoked() {
    let house = house();
    let refused = house.roster.revoke(&name("frontend")).await.unwrap_err();
    assert!(matches!(refused, RosterError::OwnCertificate(_)), "{refused}");
}

#[tokio::test]
async fn a_revocation_that_a_crash_cut_short_is_carried_through() {
    let house = house();
    let (worker, _) = house.ready().await;
    let (other, _) = house.ready().await;
    house.roster.lock_out(&worker).unwrap();
    assert_eq!(house.state(&worker), WorkerState::Ready, "as a crash left it");
    house.roster.resume().await.unwrap();
    assert_eq!(house.state(&worker), WorkerState::Failed(FailedAt::Stage(Stage::Identity)));
    assert_eq!(house.state(&other), WorkerState::Ready);
    house.eventually(|| !house.queue.worker(&worker).unwrap().open).await;
}

impl House {
    /// A host that has used its token.
    fn enrol(&self, host: &str) {
        let (now, host) = (Timestamp::now(), name(host));
        self.roster.offer_host(&host, 600).unwrap();
        let csr = KeyPair::generate().unwrap().csr_pem().unwrap();
        let spec = CertificateSpec::new(host.clone(), Role::Host);
        self.roster.with_authority(|authority| authority.issue(&csr, &spec, now).map(drop)).unwrap();
        self.roster.store().note_host(&host, &HostNews::Enrolled(MachineFacts::default()), now).unwrap();
    }
}
