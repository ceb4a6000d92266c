//! The front-end killed with SIGKILL at every moment of a worker's coming and going, on a host that answers late, twice or never:
//! whoever comes next finishes it, with one machine, and nothing is left.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use landbridge_node::machine::crash;
use landbridge_pki::KeyPair;
use rstest::rstest;

use super::yard::{HOSTS, enrol, front_end, name, pass_stages, wish};
use crate::lifecycle::tests::{join, peer};
use crate::lifecycle::{BootRequest, Roster};
use crate::provider::fake::{Answer, FakeProvider};
use crate::scheduler::fake::FakeScheduler;
use crate::store::{Sqlite, Store as _};
use crate::worker::{LeaveStep, Worker, WorkerState};

/// For the process that is to be killed: where, and how its host answers.
const ROOT: &str = "LANDBRIDGE_TEST_ROOT";
const ANSWER: &str = "LANDBRIDGE_TEST_ANSWER";
const SIGKILL: i32 = 9;
/// A journey takes a second or two.
const PATIENCE: Duration = Duration::from_mins(1);

fn answer(word: &str) -> Answer {
    match word {
        "late" => Answer::Late(Duration::from_millis(150)),
        "lost" => Answer::Lost,
        "never" => Answer::Never,
        "twice" => Answer::Twice,
        "full" => Answer::Full,
        _ => Answer::AtOnce,
    }
}

/// Alone it is a journey without a crash; the sweeps start it as the process that is killed.
#[tokio::test]
async fn a_worker_comes_and_goes() {
    // A process that is killed must have no directory of its own to leave behind.
    let given = std::env::var_os(ROOT).map(PathBuf::from);
    let own = given.is_none().then(|| tempfile::tempdir().unwrap());
    let root = given.or_else(|| own.as_ref().map(|own| own.path().to_owned())).unwrap();
    let answer = answer(&std::env::var(ANSWER).unwrap_or_default());
    let host = |file: &str| FakeProvider::kept_in(&root.join(file)).unwrap();
    let hosts = [host("host.json"), host("next.json")];
    hosts[0].habits(|habits| habits.answer = answer);
    let journey = Journey::begin(&root, hosts).await;
    tokio::time::timeout(PATIENCE, journey.go()).await.expect("an end of the journey");
}

struct Journey {
    roster: Arc<Roster>,
    queue: FakeScheduler,
    hosts: [FakeProvider; 2],
    key: KeyPair,
}

impl Journey {
    async fn begin(root: &Path, hosts: [FakeProvider; 2]) -> Self {
        let queue = FakeScheduler::default();
        let providers = HOSTS.iter().zip(&hosts).map(|(on, host)| (name(on), Arc::new(host.clone()) as _));
        let roster = front_end(root, providers.collect(), &queue);
        for on in HOSTS {
            enrol(&roster, &name(on));
        }
        roster.resume().await.unwrap();
        Self { roster, queue, hosts, key: kept_key(&root.join("key.pem")) }
    }

    /// Does what is next for the worker and its machine until the worker is gone.
    async fn go(self) {
        let mut joined = false;
        loop {
            let worker = self.roster.store().worker(&name("w1")).unwrap();
            match worker.as_ref().map(|worker| worker.state) {
                None => {
                    let named = BootRequest { name: Some(name("w1")), ..wish(1, None) };
                    self.roster.boot(named).await.unwrap();
                }
                Some(WorkerState::Booting | WorkerState::Joining(_)) if !joined => {
                    joined = self.joins(worker.as_ref().unwrap()).await;
                }
                Some(WorkerState::Ready) => drop(self.roster.destroy(&name("w1"), true).unwrap()),
                Some(WorkerState::Leaving(LeaveStep::Undo)) => {
                    self.roster.hear_goodbye(worker.as_ref().unwrap()).unwrap();
                }
                Some(WorkerState::Failed(at)) => panic!("failed at {at}: {:?}", worker.unwrap().failure),
                Some(WorkerState::Gone) => return,
                _ => {}
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The machine joins with the token that it was made with, again after a crash. `false` while there is none, or two.
    async fn joins(&self, worker: &Worker) -> bool {
        let made: Vec<_> = self.hosts.iter().flat_map(|host| host.made_for(&worker.name)).collect();
        let [machine] = made.as_slice() else { return false };
        let token = machine.user_data.lines().nth(1).unwrap().strip_prefix("# landbridge: ").unwrap();
        let Ok(admission) = join(&self.roster, token, &self.key).await else { return false };
        pass_stages(&self.roster, &self.queue, &worker.name, &peer(&admission)).await;
        true
    }
}

/// The machine outlives the front-end, and its key with it.
fn kept_key(path: &Path) -> KeyPair {
    if let Ok(pem) = std::fs::read_to_string(path) {
        return KeyPair::from_pem(&pem.into()).unwrap();
    }
    let key = KeyPair::generate().unwrap();
    std::fs::write(path, secrecy::ExposeSecret::expose_secret(&key.to_pem())).unwrap();
    key
}

/// `true` when it was killed.
fn travel(root: &Path, word: &str, kill_at: Option<u32>) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "lifecycle::boot::tests::crash::a_worker_comes_and_goes", "--test-threads=1"]);
    command.env(ROOT, root).env(ANSWER, word).stdout(Stdio::null());
    command.envs(kill_at.map(|at| (crash::PROGRAM, at.to_string())));
    let status = command.status().unwrap();
    assert!(status.success() || status.signal() == Some(SIGKILL), "{word}, {kill_at:?}: failed by itself: {status}");
    !status.success()
}

#[rstest]
#[case("at-once")]
#[case("late")]
#[case("lost")]
#[case("never")]
#[case("twice")]
#[case("full")]
fn killed_at_any_moment_there_is_one_machine_and_then_none(#[case] word: &str) {
    for at in 0.. {
        let scratch = tempfile::tempdir().unwrap();
        if !travel(scratch.path(), word, Some(at)) {
            assert!(at > 20, "only {at} moments: nothing was swept");
            return;
        }
        assert!(!travel(scratch.path(), word, None));
        let when = format!("{word}, killed at {at}");
        let hosts = ["host.json", "next.json"].map(|file| FakeProvider::kept_in(&scratch.path().join(file)).unwrap());
        let peaks = hosts.each_ref().map(FakeProvider::peak);
        assert!(peaks.iter().sum::<usize>() <= if word == "twice" { 2 } else { 1 }, "{when}: {hosts:#?}");
        assert_eq!(peaks[1] == 1, word == "full", "{when}: {hosts:#?}");
        assert!(hosts.iter().all(|host| host.made().is_empty()), "{when}");
        let store = Sqlite::open(&scratch.path().join("lib/landbridge.db")).unwrap();
        assert_eq!(store.machines().unwrap(), [], "{when}: it still takes its part of the host");
        assert_eq!(store.workers().unwrap(), [], "{when}");
        assert!(store.leases(jiff::Timestamp::now()).unwrap().iter().all(|(_, free)| free.is_some()), "{when}");
    }
}
