//! Joins that are let in and get no further: the tunnel, packets, services and programs.

use std::time::Duration;

use netns_tests::ursa::{Ursa, Way};
use netns_tests::{LabResult, Machine};

use crate::seen::{assert_reads, both, now, on_front_end, on_worker};

const FIRST: &str = "landbridge-node join --token-stdin";
const AGAIN: &str = "landbridge-node join";
const SOON: Duration = Duration::from_mins(2);
/// Held, nothing on the front-end is repaired.
const MACHINE_LOCK: &str = "/var/lib/landbridge/machine/lock";

#[test]
fn a_stage_that_fails_is_named_on_both_sides_until_its_cause_is_gone() -> LabResult<()> {
    let ursa = Ursa::draw("stages")?;
    ursa.landbridge("up").expect_ok()?;
    let e1 = ursa.instance("e1", "203.0.113.11/24")?;
    let token = ursa.token("e1", Way::Tunnel, "ec2")?;

    ursa.wan.block_udp(true);
    assert_reads("udp_blocked", &both(&ursa, &e1, "e1", FIRST, &token)?);
    ursa.wan.block_udp(false);

    ursa.wan.block_fragments(true);
    assert_reads("fragments_lost", &both(&ursa, &e1, "e1", AGAIN, "")?);
    ursa.wan.block_fragments(false);

    for (program, end_it, case) in [
        ("/usr/sbin/openvpn", "pkill -KILL openvpn", "no_openvpn"),
        ("/sbin/mount.nfs4", "umount -l /home", "no_nfs_client"),
        ("/usr/sbin/ypbind", "pkill -KILL ypbind", "no_ypbind"),
        ("/usr/lib/gridengine/sge_execd", "pkill -KILL sge_execd", "no_execution_daemon"),
    ] {
        without(&ursa, &e1, program, end_it, case)?;
    }
    broken_meanwhile(&ursa, &e1, "mv /var/yp/ursa.vlan /var/yp/aside", "nis_domain_unknown")?;
    ursa.frontend.run("mv /var/yp/aside /var/yp/ursa.vlan").expect_ok()?;
    assert_reads("all_causes_gone", &both(&ursa, &e1, "e1", AGAIN, "")?);

    broken_meanwhile(&ursa, &e1, "pkill -KILL sge_qmaster", "queue_master_gone")
}

/// Joins while a program of the worker's is missing, and what it had done is undone.
fn without(ursa: &Ursa, e1: &Machine, program: &str, end_it: &str, case: &str) -> LabResult<()> {
    e1.run(&format!("mv $(readlink -f {program}) /root/aside")).expect_ok()?;
    e1.run(&format!("{end_it}; true")).expect_ok()?;
    assert_reads(case, &both(ursa, e1, "e1", AGAIN, "")?);
    e1.run(&format!("mv /root/aside $(readlink -m {program})")).expect_ok().map(drop)
}

/// Joins while something on the front-end breaks. The front-end repairs itself before a join goes on, so it breaks only
/// when the worker is past that, and waits for its tunnel.
fn broken_meanwhile(ursa: &Ursa, e1: &Machine, break_it: &str, case: &str) -> LabResult<()> {
    let since = now(ursa)?;
    ursa.wan.block_udp(true);
    // The agent first, which would start it again; both at once: a join that finds it alive would take the tunnel for up.
    e1.run("pkill -KILL -f 'landbridge-nod[e] agent'; pkill -KILL openvpn; true").expect_ok()?;
    let mut join = e1.run(AGAIN).open_stdin().spawn()?;
    join.close_stdin()?;
    join.wait_for_output("identity", SOON)?;
    let mut repairs =
        ursa.frontend.run(&format!("flock {MACHINE_LOCK} sh -c 'echo held; read end'")).open_stdin().spawn()?;
    repairs.wait_for_output("held", SOON)?;
    ursa.frontend.run(break_it).expect_ok()?;
    ursa.wan.block_udp(false);
    let finished = join.wait(SOON)?;
    let front_end = on_front_end(ursa, "e1", &since)?;
    repairs.close_stdin()?;
    repairs.wait(SOON)?;
    assert_reads(case, &format!("{}\n{front_end}", on_worker(e1, AGAIN, &finished)));
    Ok(())
}
