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
    ursa.frontend.run("pkill -KILL -f 'landbridge .*daemon'").output()?;
    e1.crash()?;
    e1.boot_again()?;

    let said = e1.run("landbridge-node join").deadline(PATIENCE).expect_failure()?;
    assert_eq!(said.status, 10, "the contact failed: {}", said.out());
    assert!(said.out().contains("going on with what the front-end said last"), "{}", said.out());
    e1.run("ls /home/ada && getent passwd ada && ping -c 1 10.77.0.1").expect_ok()?;
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
    e1.wait_until("getent passwd ada && ls /home/ada", PATIENCE)?;
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
