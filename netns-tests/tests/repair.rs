//! A front-end whose memory is of yesterday: everything that it has made since is a left-over, in the queue, at the tunnel server, in the
//! authority's register, on a host with a real libvirt and in the cloud. `audit` tells of all of it, and `audit --repair` puts it right.

use std::collections::BTreeSet;
use std::time::Duration;

use netns_tests::LabResult;
use netns_tests::cloud::Cloud;
use netns_tests::ursa::{Ursa, Way, hollow};

const SOON: Duration = Duration::from_mins(2);

/// An address that is leased to nobody.
const NOBODYS: &str = "INSERT INTO lease (address, worker) VALUES ('10.77.1.99', 99)";

#[test]
fn what_a_lost_memory_leaves_behind_is_told_and_put_right() -> LabResult<()> {
    let ursa = Ursa::draw_with_libvirt("repair")?;
    let cloud = ursa.open_cloud()?;
    ursa.edit_file(|file| file.lines().filter(|line| !line.starts_with("nfs")).flat_map(|l| [l, "\n"]).collect())?;
    ursa.frontend.write_file("/etc/landbridge/worker.toml", hollow())?;
    ursa.up_with_libvirt()?;
    keep_memory(&ursa)?;
    let machine = ursa.light_instance("t1", "203.0.113.99/24")?;
    ursa.join(&machine, Way::Tunnel, "ursa02")?;
    for (name, host) in [("w1", "ursa01"), ("e1", "ec2")] {
        ursa.landbridge(&format!("worker boot --name {name} --on {host}")).deadline(SOON).expect_ok()?;
        ursa.await_state(name, "booting", SOON)?;
    }
    assert_eq!(ursa.landbridge("audit").expect_ok()?, "nothing is left over\n");
    lose_memory(&ursa)?;

    let told = ursa.landbridge("audit").expect_failure()?.out();
    print!("{told}");
    let places = ["queue", "tunnel", "certificate", "lease", "machine", "volume", "seed"];
    assert_eq!(findings(&ursa)?, BTreeSet::from(places.map(str::to_owned)), "{told}");
    print!("{}", ursa.landbridge("audit --repair").deadline(SOON).output()?.out());
    assert_eq!(ursa.landbridge("audit").expect_ok()?, "nothing is left over\n");
    nothing_is_left(&ursa, &cloud)?;

    abandon(&cloud, "CreateSecurityGroup", "security-group", &[("GroupName", "left"), ("GroupDescription", "left")])?;
    abandon(&cloud, "CreateVolume", "volume", &[("Size", "1"), ("AvailabilityZone", "us-east-1a")])?;
    assert_eq!(findings(&ursa)?, BTreeSet::from(["security group", "volume"].map(str::to_owned)));
    print!("{}", ursa.landbridge("audit --repair").deadline(SOON).expect_ok()?);
    nothing_is_left(&ursa, &cloud)
}

/// What the front-end's side of a worker consists of, taken away behind the daemon's back.
const TAKEN_AWAY: &str = "rm /var/lib/landbridge/tunnel/ccd/t1
    sqlite3 /var/lib/landbridge/landbridge.db \"DELETE FROM lease WHERE address = (SELECT address FROM worker WHERE name = 't1')\"
    export SGE_CELL=landbridge-ursa
    qconf -purge queue slots all.q@t1; qconf -dattr hostgroup hostlist t1 @landbridge; qconf -dh t1";

#[test]
fn what_a_ready_worker_has_lost_on_the_front_end_is_told_and_given_back() -> LabResult<()> {
    let ursa = Ursa::light("lost")?;
    let machine = ursa.light_instance("t1", "203.0.113.99/24")?;
    ursa.join(&machine, Way::Tunnel, "ec2")?;
    ursa.frontend.run(TAKEN_AWAY).expect_ok()?;
    // Its canary job may not have ended for the queue master yet.
    ursa.frontend.wait_until("SGE_CELL=landbridge-ursa qconf -de t1", SOON)?;
    print!("{}", ursa.landbridge("audit").output()?.out());
    assert_eq!(findings(&ursa)?, BTreeSet::from(["tunnel", "queue", "lease"].map(str::to_owned)));
    print!("{}", ursa.landbridge("audit --repair").deadline(SOON).expect_ok()?);
    assert_eq!(ursa.landbridge("audit").expect_ok()?, "nothing is left over\n");
    assert_eq!(ursa.state("t1")?, "ready");
    ursa.as_ada(&ursa.frontend, "qsub -sync y -o /dev/null -j y -wd /tmp -l h=t1 -b y true").map(drop)
}

/// Something in the cloud that bears the cluster's tags, and that no instance needs.
fn abandon(cloud: &Cloud, action: &str, kind: &str, parameters: &[(&str, &str)]) -> LabResult<()> {
    let tags = [
        ("TagSpecification.1.ResourceType", kind),
        ("TagSpecification.1.Tag.1.Key", "landbridge:cluster"),
        ("TagSpecification.1.Tag.1.Value", "ursa"),
        ("TagSpecification.1.Tag.2.Key", "landbridge:host"),
        ("TagSpecification.1.Tag.2.Value", "ec2"),
        ("TagSpecification.1.Tag.3.Key", "landbridge:ports"),
        ("TagSpecification.1.Tag.3.Value", "22"),
    ];
    cloud.ask(action, &[parameters, &tags].concat()).map(drop)
}

/// Keeps a copy of what the front-end knows.
fn keep_memory(ursa: &Ursa) -> LabResult<()> {
    ursa.frontend.run("sqlite3 /var/lib/landbridge/landbridge.db '.backup /root/yesterday.db'").expect_ok().map(drop)
}

/// The front-end knows what it knew then, and of one lease more than of workers.
fn lose_memory(ursa: &Ursa) -> LabResult<()> {
    ursa.kill_daemon()?;
    let restore =
        "cd /var/lib/landbridge && rm -f landbridge.db-wal landbridge.db-shm && cat /root/yesterday.db >landbridge.db";
    ursa.frontend.run(&format!("{restore} && sqlite3 landbridge.db \"{NOBODYS}\"")).expect_ok()?;
    ursa.landbridge("up").deadline(SOON).expect_ok().map(drop)
}

/// The places where something is left over.
fn findings(ursa: &Ursa) -> LabResult<BTreeSet<String>> {
    let report = ursa.landbridge("audit --output json").output()?.out();
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let all = report["findings"].as_array().or(report.as_array()).into_iter().flatten();
    Ok(all.filter_map(|finding| finding["place"].as_str()).map(str::to_owned).collect())
}

/// As the others see it.
fn nothing_is_left(ursa: &Ursa, cloud: &Cloud) -> LabResult<()> {
    let host = &ursa.hosts[0];
    assert_eq!(host.run("virsh --connect qemu:///system list --all --name").expect_ok()?.trim(), "");
    assert_eq!(host.run("ls /var/lib/libvirt/images").expect_ok()?, "");
    cloud.await_empty(SOON)?;
    assert_eq!(cloud.states()?, ["terminated"]);
    let ours = [("Filter.1.Name", "tag-key"), ("Filter.1.Value.1", "landbridge:cluster")];
    let groups = cloud.ask("DescribeSecurityGroups", &ours)?;
    assert!(!groups.contains("<groupId>"), "a security group is left: {groups}");
    let volumes = cloud.ask("DescribeVolumes", &ours)?;
    assert!(!volumes.contains("<volumeId>"), "a volume is left: {volumes}");
    let known = ursa.grid("SGE_CELL=landbridge-ursa qconf -sel 2>&1 || true")?;
    let admitted = ursa.frontend.run("ls /var/lib/landbridge/tunnel/ccd").expect_ok()?;
    for name in ["t1", "w1", "e1"] {
        assert!(!known.contains(name) && !admitted.contains(name), "{name} is known: {known}{admitted}");
    }
    let certificates = ursa.ask("pki show")?;
    let all = certificates["certificates"].as_array().into_iter().flatten();
    assert!(all.clone().any(|c| c["name"] == "t1"), "{certificates:#}");
    assert!(all.filter(|c| c["name"] == "t1").all(|c| c["state"] != "valid"), "{certificates:#}");
    Ok(())
}
