//! Leaving: draining, destroying, and what is left afterwards, which is nothing.

use std::time::{Duration, Instant};

use netns_tests::ursa::{Ursa, Way};
use netns_tests::{LabResult, Machine};

/// For whatever comes by itself, on a busy machine.
const SOON: Duration = Duration::from_mins(1);
/// For a worker that has to be given up: it is waited for, for a while.
const PATIENCE: Duration = Duration::from_mins(3);

/// A job that tells when it has begun, and does not end before it is told to, on the worker's own disk: over NFS a new file may
/// go unseen for a minute.
const JOB: &str = "#!/bin/sh\necho begun\nwhile [ ! -e /var/tmp/end ]; do sleep 0.2; done\necho done\n";

#[test]
fn a_drained_worker_ends_its_jobs_starts_none_and_can_be_taken_back() -> LabResult<()> {
    let ursa = Ursa::up("drain")?;
    let w1 = ursa.guest("w1", &ursa.hosts[0])?;
    ursa.join(&w1, Way::Bridge, "ursa01")?;
    ursa.frontend.write_file("/home/ada/job.sh", JOB)?;
    submit(&ursa, "first", "")?;
    ursa.frontend.wait_until("grep begun /home/ada/first", SOON)?;

    assert_eq!(ursa.landbridge("worker drain w1").expect_ok()?, "w1 drains: no more jobs start on it\n");
    assert_eq!(ursa.landbridge("worker drain w1").expect_ok()?, "w1 is draining already\n");
    ursa.frontend.wait_until("qstat -f -q all.q@w1 | grep -E 'all.q@w1 .* d$'", SOON)?;
    submit(&ursa, "second", "")?;
    assert_eq!(ursa.state("w1")?, "draining", "its job runs on");

    w1.write_file("/var/tmp/end", "")?;
    ursa.await_state("w1", "drained", SOON)?;
    assert_eq!(ursa.frontend.read_text("/home/ada/first")?, "begun\ndone\n");
    assert_eq!(ursa.landbridge("worker drain w1").expect_ok()?, "w1 is drained already\n");
    assert!(ursa.grid("qstat -u '*'")?.contains(" qw "), "the second job waits");

    assert_eq!(ursa.landbridge("worker resume w1").expect_ok()?, "w1 takes jobs again\n");
    assert_eq!(ursa.landbridge("worker resume w1").expect_ok()?, "w1 is ready already\n");
    ursa.frontend.wait_until("grep done /home/ada/second", SOON)?;
    Ok(())
}

#[test]
fn a_worker_leaves_its_machine_as_it_was_and_nobody_knows_it_any_more() -> LabResult<()> {
    let ursa = Ursa::up("leave")?;
    let w1 = ursa.guest("w1", &ursa.hosts[0])?;
    let e1 = ursa.instance("e1", "203.0.113.11/24")?;
    let before = [Trace::of(&w1)?, Trace::of(&e1)?];
    ursa.join(&w1, Way::Bridge, "ursa01")?;
    ursa.join(&e1, Way::Tunnel, "ec2")?;
    assert_ne!(Trace::of(&w1)?, before[0], "a join leaves a trace, or this proves nothing");

    for name in ["w1", "e1"] {
        let said = ursa.landbridge(&format!("worker destroy {name} --wait")).expect_ok()?;
        print!("{said}");
        let again = ursa.landbridge(&format!("worker destroy {name}")).expect_ok()?;
        assert_eq!(again, format!("{name} is gone already\n"));
        insta::assert_snapshot!(format!("leaving_{name}"), events(&ursa, name)?);
    }
    for (machine, before) in [(&w1, &before[0]), (&e1, &before[1])] {
        machine.wait_until("! pgrep landbridge-node", SOON)?;
        assert_eq!(Trace::of(machine)?, *before, "{} is not as it was", machine.name());
    }
    nobody_knows(&ursa, &["w1", "e1"])?;
    addresses_rest_and_come_back(&ursa, &w1)
}

/// The queue, the tunnel server, the name service, and the front-end's own audit.
fn nobody_knows(ursa: &Ursa, names: &[&str]) -> LabResult<()> {
    let seen = [
        ursa.grid("qhost; qconf -sel; qconf -sh; qconf -shgrp @landbridge; true")?,
        ursa.frontend
            .run("ls /var/lib/landbridge/tunnel/ccd; cat /etc/hosts; ypcat -h 10.77.0.1 -d ursa.vlan hosts")
            .expect_ok()?,
    ];
    for name in names {
        assert!(seen.iter().all(|text| !text.split_whitespace().any(|word| word == *name)), "{name} in {seen:#?}");
    }
    assert_eq!(ursa.landbridge("audit").expect_ok()?, "nothing is left over\n");
    assert_eq!(ursa.ask("worker list")?, serde_json::json!([]));
    Ok(())
}

/// The next worker gets another address; after the quarantine the first is free again. The name can be used at once.
fn addresses_rest_and_come_back(ursa: &Ursa, w1: &Machine) -> LabResult<()> {
    let resting = ursa.address("w1")?;
    ursa.join(w1, Way::Bridge, "ursa01")?;
    let second = ursa.address("w1")?;
    assert_ne!(second, resting);
    assert_eq!(ursa.state("w1")?, "ready");
    let clock = "update lease set free_at = free_at - 11 * 60 * 1000 where free_at is not null";
    ursa.frontend.run(&format!("sqlite3 /var/lib/landbridge/landbridge.db '{clock}'")).expect_ok()?;
    ursa.token("w2", Way::Bridge, "ursa01")?;
    assert_eq!(ursa.address("w2")?, resting);
    // Planned, and never more than that.
    assert_eq!(ursa.landbridge("worker destroy w2").expect_ok()?, "w2 leaves\n");
    ursa.await_state("w2", "gone", SOON)?;
    assert_eq!(ursa.landbridge("audit").expect_ok()?, "nothing is left over\n");
    Ok(())
}

#[test]
fn a_worker_goes_at_once_with_its_job_and_a_dead_one_is_not_waited_for_long() -> LabResult<()> {
    let ursa = Ursa::up("at-once")?;
    let (w1, w2) = (ursa.guest("w1", &ursa.hosts[0])?, ursa.guest("w2", &ursa.hosts[1])?);
    ursa.join(&w1, Way::Bridge, "ursa01")?;
    ursa.join(&w2, Way::Bridge, "ursa02")?;
    ursa.frontend.write_file("/home/ada/job.sh", JOB)?;
    for name in ["w1", "w2"] {
        submit(&ursa, name, &format!("-l h={name}"))?;
        ursa.frontend.wait_until(&format!("grep begun /home/ada/{name}"), SOON)?;
    }

    let start = Instant::now();
    ursa.landbridge("worker destroy w1 --now").expect_ok()?;
    ursa.await_state("w1", "gone", PATIENCE)?;
    println!("--now with a running job: gone after {:.1} s", start.elapsed().as_secs_f64());
    w1.wait_until("! pgrep -u ada && ! mountpoint -q /home", SOON)?;

    w2.crash()?;
    let start = Instant::now();
    ursa.landbridge("worker destroy w2").expect_ok()?;
    ursa.await_state("w2", "gone", PATIENCE)?;
    println!("a dead worker with a running job: gone after {:.1} s", start.elapsed().as_secs_f64());
    assert_eq!(ursa.grid("qstat -u '*'")?, "", "no ghosts in the queue");
    nobody_knows(&ursa, &["w1", "w2"])
}

/// Submits ada's job; its output goes to `output`.
fn submit(ursa: &Ursa, output: &str, options: &str) -> LabResult<()> {
    ursa.as_ada(&ursa.frontend, &format!("qsub -cwd -j y -o {output} {options} job.sh")).map(drop)
}

/// What happened to a worker since it was told to leave, without times.
fn events(ursa: &Ursa, name: &str) -> LabResult<String> {
    let all = ursa.ask("events --most 50")?;
    let texts: Vec<&str> = all
        .as_array()
        .into_iter()
        .flatten()
        .filter(|event| event["subject"] == name)
        .filter_map(|event| event["text"].as_str())
        .skip_while(|text| !text.starts_with("leaves"))
        .collect();
    Ok(texts.join("\n"))
}

/// What a join changes on a machine: every file of the configuration, names, mounts, links, addresses, programs.
#[derive(Debug, PartialEq)]
struct Trace {
    files: String,
    rest: String,
}

impl Trace {
    fn of(machine: &Machine) -> LabResult<Self> {
        let files = "find /etc /var/yp /var/spool/gridengine /var/lib/gridengine -type f -exec sha256sum {} + 2>/dev/null | sort -k 2; \
                     find /etc /var/yp /var/spool/gridengine /var/lib/gridengine -printf '%M %u %g %p %l\\n' 2>/dev/null | sort -k 4";
        let rest = "hostname; cat /proc/sys/kernel/domainname; cut -d' ' -f2,3 /proc/mounts | grep -v rpc_pipefs; \
                    ip -o link | sed 's/ state [A-Z]*//; s/^[0-9]*//'; ip -o -4 addr | cut -d' ' -f2-7; \
                    ps -e -o comm= | grep -E 'openvpn|ypbind|rpcbind|sge_execd' || true";
        Ok(Self { files: machine.run(files).expect_ok()?, rest: machine.run(rest).expect_ok()? })
    }
}
