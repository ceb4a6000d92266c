//! The front-end's services, as the real daemons serve them and as strangers see them.
//!
//! The front-end and the workers are namespace machines; the services are brought up by `landbridge-lab-services`, which
//! runs inside of them. A second network stands for the world outside of the vLAN.

use std::time::Duration;

use netns_tests::{Lab, LabResult, Machine, Network};

/// For Grid Engine's programs when they are not called by their wrappers.
const CELL: &str = "SGE_ROOT=/var/lib/gridengine SGE_CELL=landbridge-ursa";
const SOON: Duration = Duration::from_secs(30);

/// The front-end, its bridge and its services.
struct Cluster {
    lab: Lab,
    vlan: Network,
    outside: Network,
    frontend: Machine,
}

fn cluster(name: &str) -> LabResult<Cluster> {
    let lab = Lab::new(name)?;
    let (vlan, outside) = (lab.network("vlan")?, lab.network("outside")?);
    let frontend = lab.machine("frontend").nic("nic0", &vlan, None).nic("wan0", &outside, "198.51.100.1/24").start()?;
    frontend
        .run("ip link add lbbr-ursa type bridge && ip link set nic0 master lbbr-ursa && ip link set lbbr-ursa up && \
              ip address add 10.77.0.1/16 dev lbbr-ursa && useradd --create-home --uid 1001 ada && useradd --uid 500 old")
        .expect_ok()?;
    Ok(Cluster { lab, vlan, outside, frontend })
}

impl Cluster {
    /// Brings the services up, with these workers in the host names.
    fn up(&self, workers: &str) -> LabResult<String> {
        services(&self.frontend, &format!("up {workers}"))
    }

    /// A worker with an execution daemon and a NIS client.
    fn worker(&self, name: &str, address: &str) -> LabResult<Machine> {
        let worker = self.machine(name, address)?;
        services(&worker, &format!("worker {name}={address}"))?;
        Ok(worker)
    }

    /// The same, known to the queue master, with a home for ada.
    fn worker_of_the_queue(&self, name: &str, address: &str) -> LabResult<Machine> {
        let worker = self.worker(name, address)?;
        worker.run("install --directory --owner 1001 /home/ada").expect_ok()?;
        worker.wait_until("id ada", SOON)?;
        self.frontend.wait_until(&format!("landbridge-lab-services present {name} | grep true"), SOON)?;
        Ok(worker)
    }

    /// Somebody who is not on the vLAN, and tries its addresses all the same.
    fn stranger(&self) -> LabResult<Machine> {
        let stranger = self.lab.machine("stranger").nic("eth0", &self.outside, "198.51.100.9/24");
        stranger.route("10.77.0.0/16", "eth0").start()
    }

    fn machine(&self, name: &str, address: &str) -> LabResult<Machine> {
        self.lab.machine(name).nic("eth0", &self.vlan, format!("{address}/16").as_str()).start()
    }
}

fn services(machine: &Machine, words: &str) -> LabResult<String> {
    machine.run(&format!("landbridge-lab-services {words}")).expect_ok()
}

#[test]
fn the_second_up_changes_nothing_and_down_leaves_no_trace() -> LabResult<()> {
    let cluster = cluster("twice")?;
    let everything = "find /etc /var /run /home -xdev -not -path '/run/landbridge*' -not -path '/var/lib/landbridge*' \
                      -not -path '/var/log/*' -not -name '.*' | sort; cat /etc/hosts /etc/default/gridengine; nft list ruleset";
    let before = cluster.frontend.run(everything).expect_ok()?;

    let first = cluster.up("w1=10.77.1.1")?;
    assert!(first.contains("+ process ypserv"), "{first}");
    assert_eq!(cluster.up("w1=10.77.1.1")?, "");
    let moved = cluster.up("w1=10.77.1.1 w2=10.77.1.2")?;
    insta::assert_snapshot!("a_worker_joins", moved);

    services(&cluster.frontend, "down")?;
    assert_eq!(cluster.frontend.run(everything).expect_ok()?, before);
    cluster.frontend.run("pgrep 'ypserv|rpcbind|ganesha|sge_'").expect_failure()?;
    Ok(())
}

#[test]
fn exports_are_for_the_vlan_alone_and_root_is_nobody() -> LabResult<()> {
    let cluster = cluster("nfs")?;
    cluster.up("")?;
    let w1 = cluster.machine("w1", "10.77.1.1")?;
    let stranger = cluster.stranger()?;

    let listed = w1.run("nfs-ls 'nfs://10.77.0.1/?version=4'").expect_ok()?;
    assert!(listed.contains(" ada"), "{listed}");
    w1.run("echo hello > /tmp/x && nfs-cp /tmp/x 'nfs://10.77.0.1/ada/x?version=4&uid=1001&gid=1001'").expect_ok()?;
    assert_eq!(cluster.frontend.run("stat -c %u /home/ada/x").expect_ok()?, "1001\n");
    w1.run("nfs-cp /tmp/x 'nfs://10.77.0.1/ada/y?version=4&uid=0&gid=0'").expect_failure()?;
    for address in ["198.51.100.1", "10.77.0.1"] {
        stranger.run(&format!("timeout -s KILL 3 nfs-ls 'nfs://{address}/?version=4'")).expect_failure()?;
    }
    Ok(())
}

#[test]
fn the_domain_has_people_and_machines_but_no_passwords_and_no_strangers() -> LabResult<()> {
    let cluster = cluster("nis")?;
    cluster.frontend.run("echo ada:secret | chpasswd && groupadd --gid 2000 --users ada astronomy").expect_ok()?;
    cluster.up("w1=10.77.1.1")?;
    let (w1, stranger) = (cluster.worker("w1", "10.77.1.1")?, cluster.stranger()?);
    let map = |name: &str| w1.run(&format!("ypcat -d ursa.vlan -h 10.77.0.1 {name}")).expect_ok();

    assert_eq!(map("passwd.byname")?, "ada:*:1001:1001::/home/ada:/bin/sh\n");
    assert!(map("group.byname")?.contains("astronomy:*:2000:ada\n"));
    assert_eq!(map("hosts.byaddr")?.lines().count(), 2);
    w1.run("ypcat -d ursa.vlan -h 10.77.0.1 shadow.byname").expect_failure()?;
    w1.wait_until("ypwhich", SOON)?;
    assert_eq!(w1.run("id -nG ada").expect_ok()?, "ada astronomy\n");

    cluster.up("w1=10.77.1.1 w2=10.77.1.2")?;
    assert_eq!(w1.run("getent hosts w2").expect_ok()?, "10.77.1.2       w2\n");
    cluster.up("w1=10.77.1.1")?;
    w1.run("getent hosts w2").expect_failure()?;

    for address in ["198.51.100.1", "10.77.0.1"] {
        stranger.run(&format!("timeout -s KILL 3 ypcat -d ursa.vlan -h {address} passwd.byname")).expect_failure()?;
        for port in [111, 834, 2049, 6444] {
            stranger.run(&format!("timeout 1 bash -c ': < /dev/tcp/{address}/{port}'")).expect_failure()?;
        }
    }
    Ok(())
}

/// An array of tasks that end only when they are killed, as ada.
const SUBMIT: &str =
    "cd /tmp && su ada -s /bin/sh -c 'qsub -terse -t 1-3 -S /bin/sh -o /dev/null -j y -b y sleep 1000'";

#[test]
fn a_worker_joins_the_queue_is_proved_works_and_leaves_nothing() -> LabResult<()> {
    let cluster = cluster("queue")?;
    cluster.up("w1=10.77.1.1")?;
    let queue = |words: &str| services(&cluster.frontend, words);
    for _ in ["once", "twice"] {
        queue("admit w1=10.77.1.1 2")?;
    }
    assert_eq!((queue("present w1")?.as_str(), queue("known")?.as_str()), ("false\n", "w1\n"));

    let w1 = cluster.worker_of_the_queue("w1", "10.77.1.1")?;
    cluster.frontend.run(SUBMIT).expect_ok()?;
    assert_eq!(queue("canary w1 20")?, "passed\n");
    assert_eq!(queue("running w1")?, "0\n", "nothing starts on a closed worker");

    for _ in ["once", "twice"] {
        queue("open w1")?;
    }
    // Configured again, the queue keeps its workers and their slots.
    cluster.frontend.run(&format!("{CELL} /var/lib/landbridge/services/sge/configure frontend")).expect_ok()?;
    cluster.frontend.wait_until("landbridge-lab-services running w1 | grep 2", SOON)?;
    assert_eq!(queue("canary w1 20")?, "passed\n", "a canary needs none of the worker's slots");
    queue("close w1")?;
    w1.run("pkill --oldest --exact sleep").expect_ok()?;
    cluster.frontend.wait_until("landbridge-lab-services running w1 | grep 1", SOON)?;

    cluster.up("")?;
    for _ in ["once", "twice"] {
        queue("remove w1")?;
    }
    assert_eq!(queue("known")?, "\n");
    w1.run("pgrep --exact sleep").expect_failure()?;
    let everything = "qhost; qconf -sh; qconf -sconfl; qconf -sq all.q; qconf -shgrp @landbridge; qstat -u '*' -s r";
    let left = cluster.frontend.run(everything).output()?.out();
    assert!(left.contains("frontend") && !left.contains("w1"), "{left}");
    Ok(())
}

#[test]
fn a_canary_that_fails_says_why() -> LabResult<()> {
    let cluster = cluster("canary")?;
    cluster.up("w1=10.77.1.1 w2=10.77.1.2")?;
    let queue = |words: &str| services(&cluster.frontend, words);
    queue("admit w1=10.77.1.1 2")?;
    queue("admit w2=10.77.1.2 2")?;
    insta::assert_snapshot!("a_canary_without_a_daemon", queue("canary w1 3")?);

    let w2 = cluster.worker_of_the_queue("w2", "10.77.1.2")?;
    w2.run("mount -t tmpfs -o ro none /tmp").expect_ok()?;
    insta::assert_snapshot!("a_canary_without_a_place", queue("canary w2 30")?);
    w2.run("umount /tmp").expect_ok()?;
    assert_eq!(queue("canary w2 20")?, "passed\n", "what failed once is no obstacle");
    assert_eq!(cluster.frontend.run("qstat -u '*'").expect_ok()?, "", "no canary stays");
    Ok(())
}

#[test]
fn a_worker_that_died_takes_its_jobs_out_of_the_queue() -> LabResult<()> {
    let cluster = cluster("died")?;
    let queue = |words: &str| services(&cluster.frontend, words);
    cluster.up("w1=10.77.1.1 w2=10.77.1.2")?;
    let worker = |name: &str, address: &str| -> LabResult<Machine> {
        queue(&format!("admit {name}={address} 3"))?;
        let worker = cluster.worker_of_the_queue(name, address)?;
        queue(&format!("open {name}"))?;
        cluster.frontend.run(SUBMIT).expect_ok()?;
        cluster.frontend.wait_until(&format!("landbridge-lab-services running {name} | grep 3"), SOON)?;
        Ok(worker)
    };

    worker("w1", "10.77.1.1")?.stop();
    worker("w2", "10.77.1.2")?.kill_processes()?;
    cluster.up("")?;
    queue("remove w1")?;
    queue("remove w2")?;
    assert_eq!((queue("known")?, cluster.frontend.run("qstat -u '*'").expect_ok()?), ("\n".into(), String::new()));
    Ok(())
}

#[test]
fn daemons_that_were_killed_come_back_with_all_they_knew() -> LabResult<()> {
    let cluster = cluster("killed")?;
    cluster.up("w1=10.77.1.1")?;
    let queue = |words: &str| services(&cluster.frontend, words);
    queue("admit w1=10.77.1.1 2")?;
    let w1 = cluster.worker_of_the_queue("w1", "10.77.1.1")?;
    queue("open w1")?;
    cluster.frontend.run(SUBMIT).expect_ok()?;
    cluster.frontend.wait_until("landbridge-lab-services running w1 | grep 2", SOON)?;
    w1.wait_until("pgrep --exact --count sleep | grep 2", SOON)?;
    let jobs = w1.run("pgrep --exact sleep").expect_ok()?;

    cluster.frontend.kill_processes()?;
    // A killed program with many threads holds its port until the last of them is gone.
    cluster
        .frontend
        .wait_until("! ss --no-header --listening --tcp --numeric | grep -E ':(111|834|2049|6444) '", SOON)?;
    insta::assert_snapshot!("all_daemons_were_killed", cluster.up("w1=10.77.1.1")?);

    assert_eq!((queue("known")?.as_str(), queue("running w1")?.as_str()), ("w1\n", "2\n"));
    assert_eq!(w1.run("pgrep --exact sleep").expect_ok()?, jobs, "jobs don't notice");
    w1.run("nfs-ls 'nfs://10.77.0.1/?version=4'").expect_ok()?;
    w1.wait_until("ypcat hosts.byname", SOON)?;
    Ok(())
}
