//! A worker without its front-end: what it has goes on, comes back after a reboot, and can be undone.

use std::time::Duration;

use netns_tests::ursa::{Ursa, Way};
use netns_tests::{LabResult, Machine};

/// A mount whose server is gone is given up after a while.
const PATIENCE: Duration = Duration::from_mins(2);

/// What of the cluster a machine still shows, and how its own files differ from those before it joined.
const TRACES: &str = "ps -eo args | grep -E '^(openvpn|rpcbind|ypbind|landbridge-node|/usr/lib/gridengine)'; \
    grep nfs4 /proc/self/mounts; ip -brief address | grep 10.77; diff -r /root/etc /etc; domainname; hostname";

#[test]
fn with_the_daemon_dead_a_rebooted_worker_has_its_tunnel_mounts_and_users_again() -> LabResult<()> {
    let ursa = Ursa::up("alone")?;
    let e1 = joined(&ursa)?;
    ursa.kill_daemon()?;
    e1.crash()?;
    e1.boot_again()?;

    let said = e1.run("landbridge-node join").deadline(PATIENCE).expect_failure()?;
    assert_eq!(said.status, 10, "the contact failed: {}", said.out());
    assert!(said.out().contains("going on with what the front-end said last"), "{}", said.out());
    e1.run("ls /home/ada && getent --service=passwd:nis passwd ada && ping -c 1 10.77.0.1").expect_ok()?;
    let status = e1.run("landbridge-node status").expect_ok()?;
    assert!(status.contains("agent        process "), "{status}");
    Ok(())
}

#[test]
fn a_worker_cut_off_from_its_front_end_leaves_without_a_trace() -> LabResult<()> {
    let ursa = Ursa::up("cutoff")?;
    let e1 = ursa.instance("e1", "203.0.113.11/24")?;
    e1.run("cp -a /etc /root/etc").expect_ok()?;
    let before = e1.run(TRACES).output()?.out();
    ursa.join(&e1, Way::Tunnel, "ec2")?;
    assert_ne!(e1.run(TRACES).output()?.out(), before);

    ursa.wan.cut(true);
    e1.run("landbridge-node leave").deadline(PATIENCE).expect_ok()?;
    assert_eq!(e1.run(TRACES).output()?.out(), before);
    assert_eq!(e1.run("landbridge-node leave").expect_ok()?, "nothing to undo\n");
    Ok(())
}

#[test]
fn a_program_of_the_workers_that_dies_is_back_at_once() -> LabResult<()> {
    let ursa = Ursa::up("deaths")?;
    let e1 = joined(&ursa)?;
    for program in ["openvpn", "ypbind", "sge_execd"] {
        let before = pid(&e1, program)?;
        e1.run(&format!("kill -KILL {before}")).expect_ok()?;
        e1.wait_until(&format!("pidof {program} && [ $(pidof {program}) != {before} ]"), PATIENCE)?;
    }
    e1.wait_until("getent --service=passwd:nis passwd ada && ls /home/ada", PATIENCE)?;
    Ok(())
}

/// Runs until it is told to end, and says when it was begun and ended.
const JOB: &str = "echo begun >>~/said; until [ -e ~/end ]; do sleep 0.1; ls ~ >/dev/null; done; echo ended >>~/said";

#[test]
fn an_execution_daemon_that_dies_leaves_its_jobs_alone_and_tells_of_their_end() -> LabResult<()> {
    let ursa = Ursa::up("job")?;
    let e1 = joined(&ursa)?;
    ursa.frontend.write_file("/home/ada/job.sh", JOB)?;
    ursa.as_ada(&ursa.frontend, "qsub -cwd -j y -o /dev/null job.sh")?;
    ursa.frontend.wait_until("grep begun /home/ada/said", PATIENCE)?;

    let before = pid(&e1, "sge_execd")?;
    e1.run(&format!("kill -KILL {before}")).expect_ok()?;
    e1.wait_until(&format!("pidof sge_execd && [ $(pidof sge_execd) != {before} ]"), PATIENCE)?;
    assert_eq!(ursa.frontend.read_text("/home/ada/said")?, "begun\n");
    ursa.as_ada(&ursa.frontend, "touch end")?;
    ursa.frontend.wait_until("grep ended /home/ada/said", PATIENCE)?;
    ursa.frontend.wait_until("[ -z \"$(su - ada -c qstat)\" ]", PATIENCE)?;
    assert_eq!(ursa.frontend.read_text("/home/ada/said")?, "begun\nended\n", "it ran once");
    // The queue master writes it down a little later.
    ursa.frontend.wait_until("qacct -j job.sh", PATIENCE)?;
    let accounted = ursa.grid("qacct -j job.sh")?;
    let says = |key: &str, value: &str| accounted.lines().any(|line| line.split_whitespace().take(2).eq([key, value]));
    assert!(says("failed", "0") && says("exit_status", "0"), "{accounted}");
    Ok(())
}

fn joined(ursa: &Ursa) -> LabResult<netns_tests::Uml> {
    let e1 = ursa.instance("e1", "203.0.113.11/24")?;
    ursa.join(&e1, Way::Tunnel, "ec2")?;
    Ok(e1)
}

fn pid(machine: &Machine, program: &str) -> LabResult<String> {
    Ok(machine.run(&format!("pidof {program}")).expect_ok()?.trim().to_owned())
}
