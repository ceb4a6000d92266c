//! A process that is killed at every journaled step, and at moments in between: whoever comes next finishes the work, and
//! undoing it leaves the machine as it was before.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::scratch::{Scratch, in_namespaces};
use landbridge_fabric::{LinkKind, LinkSpec, Mtu, Network};
use landbridge_node::machine::{
    Children, Directory, File, Input, MachineSpec, Mount, Owner, Process, Readiness, Residue, Run, Sysctl, SysctlValue,
};

/// For the process that is to be killed: where, whose, and what to do.
const ROOT: &str = "LANDBRIDGE_TEST_ROOT";
const OWNER: &str = "LANDBRIDGE_TEST_OWNER";
const JOURNEY: &str = "LANDBRIDGE_TEST_JOURNEY";
const KILL_AT: &str = "LANDBRIDGE_KILL_AT";
const SIGKILL: i32 = 9;
/// A kernel parameter that each network namespace has for itself.
const PARAMETER: &str = "net.ipv4.tcp_keepalive_time";

fn script(text: &str) -> Vec<String> {
    vec!["sh".into(), "-c".into(), text.into()]
}

fn network(owner: &str, mtu: u32) -> Network {
    let link = |kind, controller: Option<&str>| LinkSpec {
        kind,
        mtu: Mtu::new(mtu).unwrap(),
        controller: controller.map(|name| name.parse().unwrap()),
        addresses: BTreeSet::new(),
    };
    let links = BTreeMap::from([
        ("lbbr-crash".parse().unwrap(), link(LinkKind::Bridge, None)),
        ("lbt0-crash".parse().unwrap(), link(LinkKind::Tap, Some("lbbr-crash"))),
    ]);
    Network { owner: Owner(owner.into()), links }
}

/// A machine with everything: one thing of each kind, `version` deciding what is in it.
fn everything(scratch: &Scratch, version: u32) -> MachineSpec {
    let conf = scratch.path("etc/conf");
    let mut spec = MachineSpec::default();
    spec.push(network(scratch.owner(), 1400 + version))
        .push(Directory { path: scratch.path("etc"), mode: 0o750, owner: None })
        .push(Residue { path: scratch.path("etc/status") })
        .push(File::open(&conf, format!("version {version}\n")))
        .push(File::secret(scratch.path("theirs"), format!("secret {version}")))
        .push(scratch.block("hosts", &format!("10.77.0.{version} front\n")))
        .push(Run {
            name: "make".into(),
            argv: script("cat etc/conf > made"),
            env: vec![],
            directory: scratch.path(""),
            inputs: vec![Input::Path(conf.clone())],
            outputs: vec![scratch.path("made")],
            undo: script("test ! -e made || grep -q version made"),
            holds: vec![],
            deadline: Duration::from_secs(5),
        })
        .push(Process {
            name: "daemon".into(),
            argv: script(&format!(
                "cat {0} > {1}; echo ready; exec sleep 1000",
                conf.display(),
                scratch.path("etc/status").display()
            )),
            env: vec![],
            restart_on: vec![conf],
            reload_on: vec![],
            ready: Readiness::Log("ready".into()),
            deadline: Duration::from_secs(5),
            grace: Process::GRACE,
            children: Children::End,
            starts_as_batch: false,
        })
        .push(Mount {
            source: "scratch".into(),
            also: vec![],
            target: scratch.path("mnt"),
            fstype: "tmpfs".into(),
            options: format!("size={version}m"),
            deadline: Duration::from_secs(5),
        })
        .push(Sysctl { name: PARAMETER.into(), value: SysctlValue::Exactly(format!("700{version}")) });
    spec
}

/// The first version less two things.
fn less(scratch: &Scratch) -> MachineSpec {
    let mut spec = everything(scratch, 1);
    spec.resources.retain(|resource| {
        !matches!(resource, landbridge_node::machine::Resource::Block(_) | landbridge_node::machine::Resource::Run(_))
    });
    spec
}

fn prepared() -> Scratch {
    let scratch = Scratch::new();
    fs::write(scratch.path("theirs"), "theirs").unwrap();
    fs::write(scratch.path("hosts"), "127.0.0.1 localhost").unwrap();
    scratch
}

async fn travel(scratch: &Scratch, journey: &str) {
    let mut machine = scratch.open().await;
    machine.converge(&everything(scratch, 1)).await.unwrap();
    match journey {
        "there and back" => {
            machine.converge(&everything(scratch, 2)).await.unwrap();
            machine.converge(&less(scratch)).await.unwrap();
        }
        "into a failure" => {
            let mut broken = everything(scratch, 2);
            broken.push(File::open("/no/such/directory/file", ""));
            machine.converge(&broken).await.unwrap_err();
        }
        other => panic!("no such journey: {other}"),
    }
    machine.tear_down().await.unwrap();
}

/// Alone it is a journey without a crash; the sweeps start it as the process that is killed.
#[test]
fn a_journey_leaves_nothing_behind() {
    let Ok(journey) = std::env::var(JOURNEY) else {
        return in_namespaces(async || {
            for journey in ["there and back", "into a failure"] {
                let scratch = prepared();
                let before = state(&scratch);
                travel(&scratch, journey).await;
                assert_eq!(state(&scratch), before);
            }
        });
    };
    let scratch = Scratch::borrowed(std::env::var(ROOT).unwrap().into(), std::env::var(OWNER).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(travel(&scratch, &journey));
}

fn traveller(scratch: &Scratch, journey: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "crash::a_journey_leaves_nothing_behind", "--test-threads=1"])
        .env(ROOT, scratch.root())
        .env(OWNER, scratch.owner())
        .env(JOURNEY, journey)
        .stdout(Stdio::null());
    command
}

fn killed(status: ExitStatus) -> bool {
    assert!(status.success() || status.signal() == Some(SIGKILL), "the journey failed by itself: {status}");
    !status.success()
}

/// All that should be as before: files, links, mounts, the kernel parameter.
type State = (BTreeMap<PathBuf, String>, String, String, String);

fn state(scratch: &Scratch) -> State {
    let links = Command::new("ip").args(["-o", "link", "show"]).output().unwrap();
    // Links that come and go use up interface numbers, nothing else.
    let links = String::from_utf8(links.stdout).unwrap();
    let mounts = fs::read_to_string("/proc/thread-self/mounts").unwrap();
    let root = scratch.root().display().to_string();
    let mounts = mounts.lines().filter(|line| line.contains(&root)).collect();
    let parameter = fs::read_to_string(Path::new("/proc/sys").join(PARAMETER.replace('.', "/"))).unwrap();
    (scratch.tree(), links, mounts, parameter)
}

/// Whoever comes next: finishes the work, and undoes it.
async fn finish(scratch: &Scratch, when: &str) {
    let mut machine = scratch.open().await;
    let wanted = everything(scratch, 2);
    machine.converge(&wanted).await.unwrap_or_else(|error| panic!("{when}: {}", crate::scratch::chain(&error)));
    assert!(machine.plan(&wanted).await.unwrap().is_empty(), "{when}");
    assert_eq!(scratch.processes().len(), 1, "{when}");
    assert_eq!(fs::read_to_string(scratch.path("made")).unwrap(), "version 2\n", "{when}");
    assert_eq!(state(scratch).3, "7002\n", "{when}");
    machine.tear_down().await.unwrap_or_else(|error| panic!("{when}: {}", crate::scratch::chain(&error)));
}

async fn undo(scratch: &Scratch, when: &str) {
    let mut machine = scratch.open().await;
    machine.tear_down().await.unwrap_or_else(|error| panic!("{when}: {}", crate::scratch::chain(&error)));
    assert!(machine.is_bare(), "{when}");
}

async fn assert_bare(scratch: &Scratch, before: &State, when: &str) {
    scratch.await_no_processes().await;
    assert!(*before == state(scratch), "{when}: {:#?}", state(scratch));
}

fn sweep(journey: &'static str) {
    in_namespaces(async || {
        for at in 0.. {
            let scratch = prepared();
            let before = state(&scratch);
            if !killed(traveller(&scratch, journey).env(KILL_AT, at.to_string()).status().unwrap()) {
                assert!(at > 40, "only {at} moments: nothing was swept");
                break;
            }
            let when = format!("{journey}, killed at {at}");
            if at % 2 == 0 {
                finish(&scratch, &when).await;
            } else {
                undo(&scratch, &when).await;
            }
            assert_bare(&scratch, &before, &when).await;
        }
    });
}

#[test]
fn killed_at_any_step_of_a_journey_the_next_one_finishes_or_undoes_it() {
    sweep("there and back");
}

#[test]
fn killed_at_any_step_of_a_rollback_the_next_one_finishes_or_undoes_it() {
    sweep("into a failure");
}

#[test]
fn killed_again_while_recovering_the_third_one_finishes_it() {
    in_namespaces(async || {
        for first in (0..).step_by(5) {
            let mut second = 0;
            loop {
                let scratch = prepared();
                let before = state(&scratch);
                if !killed(traveller(&scratch, "there and back").env(KILL_AT, first.to_string()).status().unwrap()) {
                    return;
                }
                let again = traveller(&scratch, "there and back").env(KILL_AT, second.to_string()).status().unwrap();
                let when = format!("killed at {first}, then at {second}");
                assert!(killed(again), "{when}");
                finish(&scratch, &when).await;
                assert_bare(&scratch, &before, &when).await;
                // The first two moments are those of the recovery.
                second += 1;
                if second == 2 {
                    break;
                }
            }
        }
    });
}

/// Steps are not instants: a program may be half started, a file half written.
#[test]
fn killed_between_the_steps_the_next_one_finishes_it() {
    const MOMENTS: u32 = 24;
    in_namespaces(async || {
        let start = Instant::now();
        assert!(traveller(&prepared(), "there and back").status().unwrap().success());
        let whole = start.elapsed();
        for moment in 0..MOMENTS {
            let scratch = prepared();
            let before = state(&scratch);
            let mut child = traveller(&scratch, "there and back").spawn().unwrap();
            std::thread::sleep(whole * moment / MOMENTS);
            child.kill().unwrap();
            killed(child.wait().unwrap());
            let when = format!("killed after {moment}/{MOMENTS} of {whole:?}");
            finish(&scratch, &when).await;
            assert_bare(&scratch, &before, &when).await;
        }
    });
}
