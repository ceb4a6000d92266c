//! Two hosts and a cloud that make machines, and a front-end that asks them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use landbridge_node::wire::{MachineFacts, Outcome, People, Stage, StageNews, StageReport};
use landbridge_pki::{Authority, KeyPair, NodeName};
use tempfile::TempDir;

use crate::enroll::{Gate as _, Peer};
use crate::lifecycle::tests::{NothingFollows, join, peer};
use crate::lifecycle::{BootAnswer, BootRequest, Doorkeeper, Parts, Roster, Tempo};
use crate::paths::Paths;
use crate::placement::Strategy;
use crate::program::NodeProgram;
use crate::provider::Providers;
use crate::provider::fake::{Answer, FakeProvider};
use crate::scheduler::Queue;
use crate::scheduler::fake::FakeScheduler;
use crate::services::nfs::NfsServer;
use crate::spec::{self, ClusterName};
use crate::store::{HostNews, MachineRecord, Sqlite};
use crate::template::{self, WorkerTemplate};
use crate::tunnel::Tunnel;
use crate::worker::{Worker, WorkerState};

/// The double of a physical host in the example's file: 8 processors, 8192 MiB.
pub(super) const HOSTS: [&str; 2] = ["ursa01", "ursa02"];

pub(super) struct Yard {
    pub(super) roster: Arc<Roster>,
    pub(super) queue: FakeScheduler,
    pub(super) hosts: [FakeProvider; 2],
    pub(super) cloud: FakeProvider,
    _dir: TempDir,
}

pub(super) fn name(text: &str) -> NodeName {
    NodeName::new(text).unwrap()
}

/// Quick enough for a test, slow enough for a busy machine.
pub(super) fn tempo() -> Tempo {
    let ms = Duration::from_millis;
    Tempo {
        answer: ms(400),
        settle: SignedDuration::from_millis(200),
        quick: (ms(5), ms(20)),
        slow: ms(20),
        again: (ms(5), ms(40)),
    }
}

/// A front-end in this directory, as it was left there.
pub(super) fn front_end(dir: &Path, providers: Providers, queue: &FakeScheduler) -> Arc<Roster> {
    let at = |name: &str| dir.join(name);
    let paths = Paths { config: at("etc"), state: at("lib"), run: at("run"), log: at("log") };
    std::fs::create_dir_all(paths.tunnel().join("ccd")).unwrap();
    let mut cluster = spec::example(ClusterName::new("ursa").unwrap());
    cluster.vlan.subnet = "127.77.0.0/16".parse().unwrap();
    cluster.vlan.workers = "127.77.1.0/24".parse().unwrap();
    let passphrase = "a passphrase for a test".to_owned().into();
    let authority = if Authority::exists(&paths.pki()) {
        Authority::open(&paths.pki(), &passphrase).unwrap()
    } else {
        Authority::create(&paths.pki(), "ursa", &passphrase, Timestamp::now()).unwrap()
    };
    Roster::new(Parts {
        authority,
        store: Arc::new(Sqlite::open(&paths.database()).unwrap()),
        queue: Queue::Fake(queue.clone()),
        tunnel: Tunnel::new(&paths),
        follow: Arc::new(NothingFollows),
        people: People::default(),
        nfs_server: NfsServer::Ganesha,
        providers,
        tempo: tempo(),
        node: Some(NodeProgram { bytes: "a program".into(), sha256: [7; 32] }),
        cluster: Arc::new(cluster),
        paths,
    })
}

/// A hash that no other host's token has.
fn token_of(host: &NodeName) -> [u8; 32] {
    let mut token = [0; 32];
    token[..host.as_str().len()].copy_from_slice(host.as_str().as_bytes());
    token
}

/// The host has its bridge.
pub(super) fn enrol(roster: &Roster, host: &NodeName) {
    let now = Timestamp::now();
    roster.store().plan_host(host, token_of(host), now).unwrap();
    roster.store().note_host(host, &HostNews::Enrolled(MachineFacts::default()), now).unwrap();
}

/// A request for workers of one processor and 512 MiB.
pub(super) fn wish(count: u32, on: Option<&str>) -> BootRequest {
    let template = WorkerTemplate { memory_mib: 512, ..template::example() };
    BootRequest {
        template,
        count,
        name: None,
        on: on.map(name),
        strategy: Strategy::Pack,
        patience_secs: Some(30),
        dry_run: false,
    }
}

impl Yard {
    pub(super) async fn new() -> Self {
        let hosts: [FakeProvider; 2] = std::array::from_fn(|_| FakeProvider::default());
        let cloud = FakeProvider::default();
        cloud.habits(|habits| (habits.offered.cpu, habits.offered.memory_mib) = (100, 1740));
        let (dir, queue) = (tempfile::tempdir().unwrap(), FakeScheduler::default());
        let roster = front_end(dir.path(), providers(&hosts, &cloud), &queue);
        for host in HOSTS {
            enrol(&roster, &name(host));
        }
        roster.resume().await.unwrap();
        Self { roster, queue, hosts, cloud, _dir: dir }
    }

    pub(super) async fn boot(&self, count: u32, on: Option<&str>) -> BootAnswer {
        self.roster.boot(wish(count, on)).await.unwrap()
    }

    /// One worker on the first host, which answers so.
    pub(super) async fn boot_with(&self, answer: Answer) -> NodeName {
        self.hosts[0].habits(|habits| habits.answer = answer);
        let answer = self.boot(1, Some(HOSTS[0])).await;
        answer.workers.into_iter().next().expect("a worker").name.unwrap()
    }

    pub(super) fn worker(&self, name: &NodeName) -> Worker {
        self.roster.store().worker(name).unwrap().unwrap()
    }

    pub(super) fn machines(&self, name: &NodeName) -> Vec<MachineRecord> {
        self.roster.store().machines_of(self.worker(name).id).unwrap()
    }

    /// Waits until this is so; nothing tells a test of it.
    pub(super) async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let reached = async {
            while !is_so(self) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let reached = tokio::time::timeout(Duration::from_secs(30), reached).await;
        let workers = self.roster.store().workers().unwrap();
        assert!(reached.is_ok(), "not {what}: {workers:#?} {:#?}", self.roster.store().all_machines().unwrap());
    }

    pub(super) async fn until_state(&self, name: &NodeName, state: WorkerState) {
        self.until(&format!("{name} {state}"), |yard| yard.worker(name).state == state).await;
    }

    /// The worker's only machine does what the golden image does: it reads its token and joins.
    pub(super) async fn joins(&self, host: &FakeProvider, name: &NodeName) -> Peer {
        let made = host.made_for(name);
        assert_eq!(made.len(), 1, "one machine");
        let token = made[0].user_data.lines().nth(1).unwrap().strip_prefix("# landbridge: ").unwrap();
        peer(&join(&self.roster, token, &KeyPair::generate().unwrap()).await.unwrap())
    }

    /// The worker's own stages pass.
    pub(super) async fn passes(&self, name: &NodeName, peer: &Peer) {
        pass_stages(&self.roster, &self.queue, name, peer).await;
        self.until_state(name, WorkerState::Ready).await;
    }

    /// A ready worker on the first host.
    pub(super) async fn ready(&self) -> (NodeName, Peer) {
        let name = self.boot_with(Answer::AtOnce).await;
        self.until("running", |yard| yard.machines(&name).last().is_some_and(|m| m.running.is_some())).await;
        let peer = self.joins(&self.hosts[0], &name).await;
        self.passes(&name, &peer).await;
        (name, peer)
    }
}

/// A worker's own stages pass.
pub(super) async fn pass_stages(roster: &Arc<Roster>, queue: &FakeScheduler, name: &NodeName, peer: &Peer) {
    queue.set(name, |worker| worker.present = true);
    for stage in Stage::ALL.into_iter().filter(|stage| *stage != Stage::Canary) {
        let report = StageReport { stage, outcome: Outcome::Passed, started_ms: 0, took_ms: 1 };
        let news = StageNews { stages: vec![report], word: None };
        Doorkeeper(Arc::clone(roster)).stages(peer.clone(), news).await.unwrap();
    }
}

fn providers(hosts: &[FakeProvider; 2], cloud: &FakeProvider) -> Providers {
    let physical = HOSTS.iter().zip(hosts).map(|(host, fake)| (name(host), Arc::new(fake.clone()) as _));
    physical.chain([(name("ec2"), Arc::new(cloud.clone()) as _)]).collect()
}
