//! Joins that are let in and get no further: the tunnel, packets, services and programs.

use std::time::Duration;

use netns_tests::ursa::{Ursa, Way};
use netns_tests::{LabResult, Machine};

use crate::seen::{assert_reads, both, now, on_front_end, on_worker};

const FIRST: &str = "landbridge-node join --token-stdin";
const AGAIN: &str = "landbridge-node join";
const SOON: Duration = Duration::from_mins(2);
/// Starts the server once more, with another export in the place of ours.
const NO_SUCH_EXPORT: &str = r"
    pid=$(pgrep -x ganesha.nfsd)
    file=$(tr '\0' '\n' < /proc/$pid/cmdline | grep -A1 -x -e -f | tail -1)
    sed '/Pseudo/s|/|/srv|; s|/home|/srv|' $file > /run/other-exports
    set -- $(tr '\0' ' ' < /proc/$pid/cmdline | sed s,$file,/run/other-exports,)
    kill -KILL $pid
    tail --pid=$pid -s 0.02 -f /dev/null
    setsid $@ > /dev/null 2>&1 < /dev/null &
    until ss -ltn | grep -q :2049; do :; done";
/// Held, nothing on the front-end is repaired.
const MACHINE_LOCK: &str = "/var/lib/landbridge/machine/lock";

#[test]
fn a_stage_that_fails_is_named_on_both_sides_until_its_cause_is_gone() -> LabResult<()> {
    let ursa = over_udp("stages")?;
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

#[test]
fn what_fails_before_the_tunnel_begins_is_known_on_the_front_end() -> LabResult<()> {
    let ursa = Ursa::light("early")?;
    let e1 = ursa.light_instance("e1", "203.0.113.11/24")?;
    e1.run("mkdir -p /var/lib/landbridge-node/former-names.json").expect_ok()?;
    let token = ursa.token("e1", Way::Tunnel, "ec2")?;
    let joined = ursa.try_join(&e1, Way::Tunnel, &token)?;
    assert_ne!(joined.status, 0, "{}", joined.out());
    ursa.await_state("e1", "failed", SOON)
}

#[test]
fn a_service_out_of_reach_is_named_on_both_sides_until_it_is_back() -> LabResult<()> {
    let ursa = over_udp("services")?;
    ursa.landbridge("up").expect_ok()?;
    let e1 = ursa.instance("e1", "203.0.113.11/24")?;
    let token = ursa.token("e1", Way::Tunnel, "ec2")?;

    // Before anything is mounted: the stage that comes first is the one that is named.
    blocked(&ursa, 2049, || both(&ursa, &e1, "e1", FIRST, &token), "nfs_port_blocked")?;
    broken_meanwhile(&ursa, &e1, NO_SUCH_EXPORT, "no_such_export")?;
    ursa.frontend.run("pkill -KILL -x ganesha.nfsd; true").expect_ok()?;
    broken_meanwhile(&ursa, &e1, "pkill -KILL -x ganesha.nfsd", "nfs_server_stopped")?;
    for (port, case) in [(111, "nis_port_blocked"), (6444, "queue_port_blocked")] {
        blocked(&ursa, port, || both(&ursa, &e1, "e1", AGAIN, ""), case)?;
    }
    assert_reads("all_services_back", &both(&ursa, &e1, "e1", AGAIN, "")?);
    Ok(())
}

#[test]
fn a_way_too_small_for_the_vlans_packets_is_named_with_what_it_carries() -> LabResult<()> {
    let ursa = Ursa::draw("small")?;
    ursa.landbridge("up").expect_ok()?;
    ursa.enrol(&ursa.hosts[0])?;
    let w1 = ursa.guest("w1", &ursa.hosts[0])?;
    let token = ursa.token("w1", Way::Bridge, "ursa01")?;
    let port = w1.tap()?;

    let small = |mtu: u16| ursa.hosts[0].run(&format!("ip link set {port} mtu {mtu}")).expect_ok();
    small(1400)?;
    assert_reads("bridge_port_small", &both(&ursa, &w1, "w1", FIRST, &token)?);
    small(1500)?;

    // VXLAN adds 50 bytes, for which the switches between the hosts have no room now.
    ursa.underlay.set_mtu(1500)?;
    assert_reads("underlay_small", &both(&ursa, &w1, "w1", AGAIN, "")?);
    ursa.underlay.set_mtu(1600)?;
    assert_reads("way_wide_again", &both(&ursa, &w1, "w1", AGAIN, "")?);
    Ok(())
}

/// The cluster with its tunnels over UDP alone, which the way can be told to swallow.
fn over_udp(name: &str) -> LabResult<Ursa> {
    let ursa = Ursa::draw(name)?;
    ursa.configure("[tunnel]", "transport = \"udp\"")?;
    Ok(ursa)
}

/// Joins while the front-end swallows what arrives over the vLAN for a port, TCP or UDP.
fn blocked(ursa: &Ursa, port: u16, join: impl Fn() -> LabResult<String>, case: &str) -> LabResult<()> {
    let rules = format!(
        "table inet test {{\n chain in {{\n type filter hook input priority -10;\n iifname lbbr-ursa th dport {port} drop;\n }}\n}}\n"
    );
    ursa.frontend.run("nft -f -").stdin(rules).expect_ok()?;
    assert_reads(case, &join()?);
    ursa.frontend.run("nft delete table inet test").expect_ok().map(drop)
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
