//! On a real libvirtd, with machines that only speak and halt.

use std::time::{Duration, Instant};

use super::super::pool::Pool;
use super::daemon::Daemon;
use super::*;
use crate::provider::{FailureKind, Left, MachineState};

/// An image whose machine says a word on its serial port, in its directory.
fn speaker(daemon: &Daemon) -> PathBuf {
    let path = daemon.directory().join("speaker.img");
    let mut disk = probe::boot_sector();
    disk.resize(1 << 20, 0);
    std::fs::write(&path, disk).expect("writing");
    path
}

/// Waits until a machine has said something.
async fn console(provider: &LibvirtProvider, launch: &Launch) -> String {
    let until = Instant::now() + Duration::from_mins(1);
    loop {
        let said = provider.console(launch).await.expect("the console").unwrap_or_default();
        if said.contains("guest runs") || Instant::now() > until {
            return said;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_machine_is_made_once_runs_speaks_and_goes_without_a_trace() {
    let daemon = Daemon::start();
    let provider = daemon.provider();
    let swap = disk(DiskSource::Swap(16));
    let order = order(launch("w1", 7), template(vec![image(&speaker(&daemon)), swap]));

    let made = provider.provision(&order).await.expect("a machine");
    assert_eq!((made.launch.clone(), made.state), (order.launch.clone(), MachineState::Running));
    let again = daemon.provider().provision(&order).await.expect("the same machine");
    assert_eq!(again.id, made.id, "twice is once");
    assert_eq!(provider.machines().await.expect("a list"), [made]);
    assert!(console(&provider, &order.launch).await.contains("landbridge: a guest runs"));
    assert!(daemon.virsh("domiflist lb-ursa-w1-7-1").contains("02:4c:0a:4d:01:05"));

    let volumes: Vec<String> = provider.leftovers().await.expect("a list").into_iter().map(|left| left.id).collect();
    let parts = ["console", "disk0", "disk1", "seed"].map(|part| format!("lb-ursa-w1-7-1.{part}"));
    assert_eq!(volumes, parts);
    let seed = provider.leftovers().await.expect("a list").pop().expect("the seed");
    assert_eq!((seed.kind, seed.worker_id), (LeftoverKind::Seed, Some(7)));
    assert!(provider.remove(&seed).await.is_err(), "a living machine's disk is no leftover");

    for _ in 0..2 {
        provider.destroy(&order.launch).await.expect("it is gone");
    }
    assert_eq!(provider.machines().await.expect("a list"), []);
    assert_eq!(provider.leftovers().await.expect("a list"), []);
    assert_eq!(provider.console(&order.launch).await.expect("no console"), None);
    assert!(!daemon.virsh("pool-list --all").contains("landbridge"), "the pool goes with the last volume");
}

#[tokio::test]
async fn one_machines_end_is_nobody_elses() {
    let daemon = Daemon::start();
    let provider = daemon.provider();
    let image = speaker(&daemon);
    let orders = ["w1", "w2"].map(|name| order(launch(name, 7), template(vec![super::image(&image)])));
    for order in &orders {
        provider.provision(order).await.expect("a machine");
    }
    provider.destroy(&orders[0].launch).await.expect("it is gone");
    let left = provider.machines().await.expect("a list");
    assert_eq!(left.into_iter().map(|machine| machine.launch).collect::<Vec<_>>(), [orders[1].launch.clone()]);
    assert!(console(&provider, &orders[1].launch).await.contains("a guest runs"));
    let other = LibvirtProvider::new(&ClusterName::new("other").expect("a name"), &daemon.uri());
    assert_eq!(other.machines().await.expect("a list"), [], "another cluster's machines are not ours");
}

#[tokio::test]
async fn a_machine_that_ended_by_itself_is_gone_and_not_started_again() {
    let daemon = Daemon::start();
    let provider = daemon.provider();
    let order = order(launch("w1", 7), template(vec![image(&speaker(&daemon))]));
    provider.provision(&order).await.expect("a machine");
    daemon.virsh("destroy lb-ursa-w1-7-1");
    let machines = provider.machines().await.expect("a list");
    assert_eq!(machines[0].state, MachineState::Gone);
    assert_eq!(provider.provision(&order).await.expect("what is left of it").state, MachineState::Gone);
}

#[tokio::test]
async fn what_an_interrupted_try_left_is_used_or_replaced() {
    let daemon = Daemon::start();
    let provider = daemon.provider();
    let order = order(launch("w1", 7), template(vec![image(&speaker(&daemon))]));
    provider.provision(&order).await.expect("a machine");
    // As if the try had ended between defining and starting: a libvirtd that was restarted knows no reason.
    let xml = daemon.virsh("dumpxml --inactive lb-ursa-w1-7-1");
    daemon.virsh("destroy lb-ursa-w1-7-1");
    daemon.virsh("undefine lb-ursa-w1-7-1");
    let file = daemon.directory().join("w1.xml");
    std::fs::write(&file, xml).expect("writing");
    daemon.virsh(&format!("define {}", file.display()));
    assert_eq!(provider.machines().await.expect("a list")[0].state, MachineState::Off);
    assert_eq!(provider.provision(&order).await.expect("started").state, MachineState::Running);
    // As if it had ended before defining.
    daemon.virsh("destroy lb-ursa-w1-7-1");
    daemon.virsh("undefine lb-ursa-w1-7-1");
    assert_eq!(provider.leftovers().await.expect("a list").len(), 3);
    assert_eq!(provider.provision(&order).await.expect("made anew").state, MachineState::Running);
}

#[tokio::test]
async fn a_failure_says_why_and_leaves_nothing() {
    let daemon = Daemon::start();
    let provider = daemon.provider();
    let missing = order(launch("w1", 7), template(vec![image(&daemon.directory().join("none.img"))]));
    let error = provider.provision(&missing).await.expect_err("no image");
    assert_eq!((error.kind, &error.left), (FailureKind::Refused, &Left::Nothing), "{error}");
    assert!(error.to_string().contains("no such file"), "{error}");

    let lost = order(launch("w1", 7), template(vec![image(Path::new("/nowhere/none.img"))]));
    let error = provider.provision(&lost).await.expect_err("no directory");
    assert_eq!((error.kind, &error.left), (FailureKind::Refused, &Left::Nothing), "{error}");

    let mut nowhere = order(launch("w2", 8), template(vec![image(&speaker(&daemon))]));
    nowhere.bridge = landbridge_fabric::InterfaceName::new("lbbr-none").expect("a name");
    let error = provider.provision(&nowhere).await.expect_err("no bridge");
    assert_eq!(error.left, Left::Nothing, "{error}");
    assert!(error.seen.contains("lbbr-none"), "libvirt's own words: {error}");
    assert_eq!(provider.leftovers().await.expect("a list"), []);
    assert_eq!(provider.machines().await.expect("a list"), []);

    drop(daemon);
    let error = provider.machines().await.expect_err("no host");
    assert_eq!((error.kind, &error.left), (FailureKind::Passing, &Left::Unknown), "{error}");
}

#[tokio::test]
async fn somebody_elses_pool_and_volumes_stay() {
    let daemon = Daemon::start();
    let provider = daemon.provider();
    daemon.virsh("pool-define-as landbridge-ursa dir --target /var/lib/libvirt/images/theirs");
    let order = order(launch("w1", 7), template(vec![image(&speaker(&daemon))]));
    let error = provider.provision(&order).await.expect_err("not our pool");
    assert!(error.seen.contains("did not make"), "{error}");
    assert!(daemon.virsh("pool-list --all").contains("landbridge-ursa"));
}

#[tokio::test]
async fn kvm_is_taken_only_where_a_guest_ran() {
    let daemon = Daemon::start();
    let provider = daemon.provider();
    let offered = provider.offered().await.expect("an offer");
    assert!(offered.cpu >= 100 && offered.memory_mib > 0 && offered.description.starts_with("QEMU "), "{offered:?}");
    match offered.accelerated {
        Accelerated::Proved => {}
        Accelerated::Emulated(why) => assert!(why.contains("KVM"), "{why}"),
        Accelerated::NotOurs => panic!("this host is ours"),
    }
    assert_eq!(provider.leftovers().await.expect("a list"), [], "the probe leaves nothing");
    assert!(!daemon.virsh("list --all").contains("probe"));
}

#[test]
fn the_probe_hears_its_guest() {
    let daemon = Daemon::start();
    let connect = Connect::open(Some(&daemon.uri())).expect("a connection");
    let directory = PathBuf::from("/var/lib/libvirt/images/landbridge-ursa");
    let pool = Pool { connect: &connect, name: "landbridge-ursa", directory: &directory };
    let heard =
        probe::with_guest_disk(&pool, |storage| probe::listen(&pool, storage, Kind::Emulated, Duration::from_mins(1)));
    assert_eq!(heard.expect("a disk"), Ok(true));
    assert_eq!(pool.volumes().expect("a list"), Vec::<String>::new());
}
