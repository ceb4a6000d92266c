//! The life of a worker, with the real store, authority and tunnel directories, and a queue that can be told to misbehave.
//! The vLAN is a piece of the loopback network, whose addresses answer pings of any size.
#![allow(clippy::unwrap_used)]

mod people;
mod refused;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use landbridge_node::wire::{
    Admission, Failure, JoinRequest, MachineFacts, Outcome, People, RefusalCode, RejoinRequest, RenewRequest, Stage,
    StageNews, StageReport, Standing, Token, Via,
};
use landbridge_pki::{Authority, CertificateFacts, KeyPair, NodeName, Role};
use tempfile::TempDir;

use super::{Doorkeeper, Follow, Offer, Parts, Roster, RosterError, Tempo, TokenRequest};
use crate::enroll::{Gate as _, Peer};
use crate::paths::Paths;
use crate::provider::Providers;
use crate::scheduler::Queue;
use crate::scheduler::fake::FakeScheduler;
use crate::services::nfs::NfsServer;
use crate::spec::{self, ClusterName};
use crate::store::Sqlite;
use crate::tunnel::Tunnel;
use crate::worker::{FailedAt, LeaveStep, WorkerState};

pub(super) struct NothingFollows;

impl Follow for NothingFollows {
    fn follow(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(async { Ok(()) })
    }
}

pub(super) struct House {
    pub(super) roster: Arc<Roster>,
    pub(super) queue: FakeScheduler,
    _dir: TempDir,
}

fn house() -> House {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let paths = Paths { config: at("etc"), state: at("lib"), run: at("run"), log: at("log") };
    std::fs::create_dir_all(paths.tunnel().join("ccd")).unwrap();
    let mut cluster = spec::example(ClusterName::new("ursa").unwrap());
    cluster.vlan.subnet = "127.77.0.0/16".parse().unwrap();
    cluster.vlan.workers = "127.77.1.0/29".parse().unwrap();
    let passphrase = "a passphrase for a test".to_owned().into();
    let queue = FakeScheduler::default();
    let roster = Roster::new(Parts {
        authority: Authority::create(&paths.pki(), "ursa", &passphrase, Timestamp::now()).unwrap(),
        store: Arc::new(Sqlite::in_memory().unwrap()),
        queue: Queue::Fake(queue.clone()),
        tunnel: Tunnel::new(&paths),
        follow: Arc::new(NothingFollows),
        people: People::default(),
        nfs_server: NfsServer::Ganesha,
        providers: Providers::default(),
        tempo: Tempo::default(),
        node: None,
        cluster: Arc::new(cluster),
        paths,
    });
    House { roster, queue, _dir: dir }
}

impl House {
    async fn offer(&self) -> Result<Offer, RosterError> {
        let request = TokenRequest { name: None, via: Via::Bridge, host: None, slots: None, life_secs: 600 };
        self.roster.offer(request).await
    }

    async fn join(&self, offer: &Offer, key: &KeyPair) -> Result<Admission, RefusalCode> {
        join(&self.roster, &offer.token, key).await
    }

    /// The one command without a token, after the machine was started anew.
    async fn reboots(&self, peer: &Peer, boot_id: &str) {
        let facts = MachineFacts { cpus: 2, boot_id: boot_id.into(), ..MachineFacts::default() };
        let request = RejoinRequest { clock: Timestamp::now().as_second(), facts };
        Doorkeeper(Arc::clone(&self.roster)).rejoin(peer.clone(), request).await.unwrap();
        self.queue.set(peer.name(), |worker| worker.present = true);
        self.report_services(peer).await;
    }

    async fn report(&self, peer: &Peer, stage: Stage, outcome: Outcome) -> Result<(), RefusalCode> {
        let stages = vec![StageReport { stage, outcome, started_ms: 0, took_ms: 1 }];
        let news = StageNews { stages, word: None };
        Doorkeeper(Arc::clone(&self.roster)).stages(peer.clone(), news).await.map_err(|refusal| refusal.code)
    }

    /// What the worker proves side by side, in an order in which it may well pass.
    async fn report_services(&self, peer: &Peer) {
        for stage in [Stage::Queue, Stage::Address, Stage::Mtu, Stage::Nis, Stage::Nfs] {
            self.report(peer, stage, Outcome::Passed).await.unwrap();
        }
    }

    fn state(&self, name: &NodeName) -> WorkerState {
        self.roster.store().worker(name).unwrap().unwrap().state
    }

    async fn until(&self, name: &NodeName, wanted: WorkerState) {
        let reached = self.comes_to_pass(|| self.state(name) == wanted).await;
        assert!(reached, "{name} is {}, not {wanted}", self.state(name));
    }

    async fn until_called(&self, call: &str) {
        let called = self.comes_to_pass(|| self.queue.calls().iter().any(|known| known == call)).await;
        assert!(called, "{call} is not among {:?}", self.queue.calls());
    }

    async fn eventually(&self, is_so: impl Fn() -> bool) {
        assert!(self.comes_to_pass(is_so).await);
    }

    /// Events have no subscription for tests; the tasks that bring them about are awaited by what they leave.
    async fn comes_to_pass(&self, is_so: impl Fn() -> bool) -> bool {
        let seen = async {
            while !is_so() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), seen).await.is_ok()
    }

    /// A worker that has joined.
    async fn ready(&self) -> (NodeName, Peer) {
        let offer = self.offer().await.unwrap();
        let admission = self.join(&offer, &KeyPair::generate().unwrap()).await.unwrap();
        let peer = peer(&admission);
        self.queue.set(&offer.name, |worker| worker.present = true);
        for stage in [Stage::Contact, Stage::Identity, Stage::Link] {
            self.report(&peer, stage, Outcome::Passed).await.unwrap();
        }
        self.report_services(&peer).await;
        self.until(&offer.name, WorkerState::Ready).await;
        (offer.name, peer)
    }
}

/// A machine with this token joins.
pub(super) async fn join(roster: &Arc<Roster>, token: &str, key: &KeyPair) -> Result<Admission, RefusalCode> {
    let token: Token = token.parse().unwrap();
    let request = JoinRequest {
        secret: token.secret_text(),
        role: Role::Worker,
        via: Some(Via::Bridge),
        csr_pem: key.csr_pem().unwrap(),
        clock: Timestamp::now().as_second(),
        facts: MachineFacts { cpus: 2, ..MachineFacts::default() },
    };
    Doorkeeper(Arc::clone(roster)).join(request).await.map_err(|refusal| refusal.code)
}

pub(super) fn peer(admission: &Admission) -> Peer {
    Peer { certificate: CertificateFacts::from_pem(&admission.identity.certificate_pem).unwrap() }
}

fn failure() -> Failure {
    Failure { expected: "a mount".into(), seen: "a refusal".into(), remedy: "look at the exports".into() }
}

#[tokio::test]
async fn slots_open_only_when_the_front_end_has_proved_the_worker_too() {
    let house = house();
    let (name, _) = house.ready().await;
    let worker = house.queue.worker(&name).unwrap();
    assert!(worker.open);
    assert_eq!(worker.slots, 2, "one a processor");
    let calls = house.queue.calls();
    let place = |what: &str| calls.iter().position(|call| call.starts_with(what)).unwrap_or(usize::MAX);
    assert!(place("canary") < place("open"), "{calls:?}");
}

#[tokio::test]
async fn a_canary_that_fails_keeps_the_slots_closed_and_is_told_to_the_worker() {
    let house = house();
    let offer = house.offer().await.unwrap();
    let peer = peer(&house.join(&offer, &KeyPair::generate().unwrap()).await.unwrap());
    house.queue.set(&offer.name, |worker| {
        worker.present = true;
        worker.canary = Some(failure());
    });
    house.report_services(&peer).await;
    house.until(&offer.name, WorkerState::Failed(Stage::Canary.into())).await;
    assert!(!house.queue.worker(&offer.name).unwrap().open);
    let orders = Doorkeeper(Arc::clone(&house.roster)).orders(peer, 0).await.unwrap();
    assert_eq!(orders.canary, Some(Err(failure())));
}

#[tokio::test]
async fn a_worker_whose_job_has_run_is_not_ready_before_its_services_are() {
    let house = house();
    let offer = house.offer().await.unwrap();
    let peer = peer(&house.join(&offer, &KeyPair::generate().unwrap()).await.unwrap());
    house.queue.set(&offer.name, |worker| worker.present = true);
    for stage in [Stage::Address, Stage::Mtu, Stage::Queue] {
        house.report(&peer, stage, Outcome::Passed).await.unwrap();
    }
    house.until_called(&format!("canary {}", offer.name)).await;
    assert_eq!(house.state(&offer.name), WorkerState::Joining(Stage::Nfs));
    assert!(!house.queue.worker(&offer.name).unwrap().open);
    for stage in [Stage::Nis, Stage::Nfs] {
        house.report(&peer, stage, Outcome::Passed).await.unwrap();
    }
    house.until(&offer.name, WorkerState::Ready).await;
}

#[tokio::test]
async fn slots_that_could_not_be_closed_are_closed_when_the_queue_master_is_back() {
    let house = house();
    let (name, peer) = house.ready().await;
    house.queue.outage(Some("no queue master"));
    house.report(&peer, Stage::Nfs, Outcome::Failed(failure())).await.unwrap();
    house.until_called(&format!("close {name}")).await;
    assert!(house.queue.worker(&name).unwrap().open);
    house.queue.outage(None);
    house.eventually(|| !house.queue.worker(&name).unwrap().open).await;
}

#[tokio::test]
async fn what_was_prepared_with_the_token_is_not_prepared_again() {
    let house = house();
    let (name, _) = house.ready().await;
    let admitted = house.queue.calls().iter().filter(|call| call.starts_with("admit")).cloned().collect::<Vec<_>>();
    assert_eq!(
        admitted,
        [format!("admit {name} 1"), format!("admit {name} 2")],
        "its processors were not known before"
    );
}

#[tokio::test]
async fn a_stage_that_failed_is_kept_in_words_and_the_worker_may_try_again() {
    let house = house();
    let offer = house.offer().await.unwrap();
    let key = KeyPair::generate().unwrap();
    let first = house.join(&offer, &key).await.unwrap();
    house.report(&peer(&first), Stage::Nfs, Outcome::Failed(failure())).await.unwrap();
    let worker = house.roster.store().worker(&offer.name).unwrap().unwrap();
    assert_eq!(worker.state, WorkerState::Failed(Stage::Nfs.into()));
    assert_eq!(worker.failure.as_deref(), Some("expected a mount; saw a refusal; look at the exports"));
    let again = house.join(&offer, &key).await.unwrap();
    assert_eq!(again.identity, first.identity, "the same key gets the same certificate");
    assert!(matches!(house.state(&offer.name), WorkerState::Joining(_)));
}

#[tokio::test]
async fn a_token_is_no_good_for_a_second_machine() {
    let house = house();
    let offer = house.offer().await.unwrap();
    house.join(&offer, &KeyPair::generate().unwrap()).await.unwrap();
    let stranger = house.join(&offer, &KeyPair::generate().unwrap()).await;
    assert_eq!(stranger, Err(RefusalCode::UsedToken));
}

#[tokio::test]
async fn a_worker_that_was_revoked_gets_in_neither_by_its_token_nor_by_a_renewal_that_was_under_way() {
    let house = house();
    let offer = house.offer().await.unwrap();
    let key = KeyPair::generate().unwrap();
    let peer = peer(&house.join(&offer, &key).await.unwrap());
    assert!(house.roster.revoke(&offer.name).await.unwrap());
    assert_eq!(house.state(&offer.name), WorkerState::Failed(FailedAt::Stage(Stage::Identity)));
    assert_eq!(house.join(&offer, &key).await.unwrap_err(), RefusalCode::UnknownToken);
    let another = RenewRequest { csr_pem: KeyPair::generate().unwrap().csr_pem().unwrap() };
    assert_eq!(house.roster.renew_now(&peer, &another).unwrap_err().code, RefusalCode::Revoked);
    assert!(house.roster.with_authority(|a| a.register().current(&offer.name, Timestamp::now())).unwrap().is_none());
}

#[tokio::test]
async fn a_ready_worker_that_is_revoked_gets_no_more_jobs() {
    let house = house();
    let (worker, _) = house.ready().await;
    house.roster.revoke(&worker).await.unwrap();
    house.eventually(|| !house.queue.worker(&worker).unwrap().open).await;
}

#[tokio::test]
async fn a_worker_that_leaves_leaves_nothing_behind() {
    let house = house();
    let (name, peer) = house.ready().await;
    house.queue.set(&name, |worker| worker.running = 1);
    assert!(house.roster.destroy(&name, false).unwrap());
    house.until(&name, WorkerState::Leaving(LeaveStep::Wait)).await;
    assert!(!house.queue.worker(&name).unwrap().open, "its slots are closed while its jobs go on");
    house.queue.set(&name, |worker| worker.running = 0);
    house.until(&name, WorkerState::Leaving(LeaveStep::Undo)).await;
    let door = Doorkeeper(Arc::clone(&house.roster));
    assert_eq!(door.orders(peer.clone(), 0).await.unwrap().standing, Standing::Leave);
    door.left(peer.clone()).await.unwrap();
    house.until(&name, WorkerState::Gone).await;
    assert_eq!(house.queue.worker(&name), None);
    assert_eq!(house.report(&peer, Stage::Nfs, Outcome::Passed).await, Err(RefusalCode::Revoked));
    let leases = house.roster.store().leases(Timestamp::now()).unwrap();
    assert!(leases.iter().all(|(_, free_at)| free_at.is_some()), "its address rests in quarantine");
    assert!(!house.roster.destroy(&name, false).unwrap(), "twice is once");
}

#[tokio::test]
async fn a_leaving_that_was_interrupted_goes_on_after_a_restart() {
    let house = house();
    let (name, _) = house.ready().await;
    let worker = house.roster.store().worker(&name).unwrap().unwrap();
    let cut = WorkerState::Leaving(LeaveStep::Cut);
    assert!(house.roster.store().advance(worker.id, worker.state, cut, Timestamp::now()).unwrap());
    house.roster.resume().await.unwrap();
    house.until(&name, WorkerState::Gone).await;
    assert_eq!(house.queue.worker(&name), None);
}

#[tokio::test]
async fn draining_keeps_jobs_and_can_be_taken_back() {
    let house = house();
    let (name, _) = house.ready().await;
    house.queue.set(&name, |worker| worker.running = 1);
    assert!(house.roster.drain(&name).unwrap());
    assert!(!house.roster.drain(&name).unwrap(), "twice is once");
    house.until(&name, WorkerState::Draining).await;
    house.queue.set(&name, |worker| worker.running = 0);
    house.until(&name, WorkerState::Drained).await;
    assert!(house.roster.resume_worker(&name).await.unwrap());
    assert!(house.queue.worker(&name).unwrap().open);
}

#[tokio::test]
async fn a_drained_worker_that_reboots_is_proved_and_stays_drained() {
    let house = house();
    let (name, peer) = house.ready().await;
    house.roster.drain(&name).unwrap();
    house.until(&name, WorkerState::Drained).await;
    for boot in ["second", "third"] {
        house.reboots(&peer, boot).await;
        house.until(&name, WorkerState::Drained).await;
        assert!(!house.queue.worker(&name).unwrap().open);
    }
    assert!(house.roster.resume_worker(&name).await.unwrap());
    house.reboots(&peer, "fourth").await;
    house.until(&name, WorkerState::Ready).await;
    assert!(house.queue.worker(&name).unwrap().open);
}

#[tokio::test]
async fn the_queue_forgets_the_execution_daemon_of_a_machine_that_was_started_anew() {
    let house = house();
    let (name, peer) = house.ready().await;
    let before = house.queue.calls().len();
    house.reboots(&peer, "second").await;
    house.until(&name, WorkerState::Ready).await;
    let calls = house.queue.calls().split_off(before);
    let first = ["hang up", "running", "remove"].map(|call| format!("{call} {name}"));
    assert_eq!(calls[..4], [&first[..], &[format!("admit {name} 2")]].concat());
}

#[tokio::test]
async fn jobs_of_a_machine_that_was_started_anew_are_not_deleted() {
    let house = house();
    let (name, peer) = house.ready().await;
    house.queue.set(&name, |worker| worker.running = 1);
    house.reboots(&peer, "second").await;
    house.until(&name, WorkerState::Ready).await;
    assert_eq!(house.queue.worker(&name).unwrap().running, 1);
}

#[tokio::test]
async fn a_worker_that_left_by_itself_gets_no_jobs_and_is_forgotten_at_once() {
    let house = house();
    let (name, peer) = house.ready().await;
    house.queue.set(&name, |worker| worker.running = 1);
    Doorkeeper(Arc::clone(&house.roster)).left(peer.clone()).await.unwrap();
    house.until(&name, WorkerState::Failed(Stage::Link.into())).await;
    let failure = house.roster.store().worker(&name).unwrap().unwrap().failure.unwrap();
    assert!(failure.contains("it has left (landbridge-node leave on its machine)"), "{failure}");
    house.roster.destroy(&name, false).unwrap();
    house.until(&name, WorkerState::Gone).await;
    assert_eq!(house.queue.worker(&name), None);
}

#[tokio::test]
async fn a_plan_that_cannot_be_prepared_takes_its_name_and_address_back() {
    let house = house();
    house.queue.outage(Some("no queue master"));
    let refused = house.offer().await.map(drop);
    assert!(matches!(refused, Err(RosterError::Scheduler(_))), "{refused:?}");
    house.queue.outage(None);
    house.roster.settle().await;
    assert_eq!(house.roster.store().workers().unwrap(), []);
}

#[tokio::test]
async fn a_join_that_falls_silent_has_failed_at_its_stage() {
    let house = house();
    let offer = house.offer().await.unwrap();
    let peer = peer(&house.join(&offer, &KeyPair::generate().unwrap()).await.unwrap());
    house.report(&peer, Stage::Link, Outcome::Passed).await.unwrap();
    house.roster.tick(Timestamp::now()).unwrap();
    assert_eq!(house.state(&offer.name), WorkerState::Joining(Stage::Address));
    house.roster.tick(Timestamp::now() + jiff::SignedDuration::from_mins(10)).unwrap();
    assert_eq!(house.state(&offer.name), WorkerState::Failed(Stage::Address.into()));
}
