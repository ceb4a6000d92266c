//! Who is no member of the segment and sends as if it were: with the VNI alone nobody gets onto the vLAN.

use std::time::Duration;

use netns_tests::ursa::Ursa;
use netns_tests::{LabResult, Machine};

/// For whatever comes by itself, on a busy machine.
const SOON: Duration = Duration::from_mins(1);

/// Takes the guard away, of what nobody repairs any more.
const UNGUARD: &str = "nft delete table inet landbridge_ursa";

#[test]
fn frames_of_the_segment_are_taken_from_its_members_alone() -> LabResult<()> {
    let ursa = Ursa::draw("strangers")?;
    ursa.landbridge("up").expect_ok()?;
    let (host, neighbour) = (&ursa.hosts[0], &ursa.hosts[1]);
    ursa.enrol(host)?;
    let guest = ursa.guest("v1", host)?;
    guest.run("ip addr add 10.77.2.1/16 dev eth0 && ip link set eth0 up").expect_ok()?;
    guest.run("ping -c 1 -W 5 10.77.0.1").expect_ok()?;

    let stranger = ursa.lab.machine("stranger").nic("wan0", &ursa.cloud, "203.0.113.66/24").start()?;
    stranger.run("ip route add 198.51.100.0/24 dev wan0").expect_ok()?;
    claim(&stranger, "203.0.113.66", "198.51.100.1")?;
    claim(neighbour, "192.0.2.12", "192.0.2.11")?;
    stranger.run("ping -c 2 -W 1 10.77.0.1").expect_failure()?;
    neighbour.run("ping -c 2 -W 1 10.77.2.1").expect_failure()?;

    // It is the guard that holds them back, and nothing else does.
    ursa.kill_daemon()?;
    ursa.frontend.run(UNGUARD).expect_ok()?;
    stranger.run("ping -c 2 -W 5 10.77.0.1").expect_ok()?;
    host.run("kill -KILL $(pgrep -x landbridge-node)").expect_ok()?;
    host.run(UNGUARD).expect_ok()?;
    neighbour.run("ping -c 2 -W 5 10.77.2.1").expect_ok()?;

    // Once it is a member, it is let in.
    ursa.landbridge("up").expect_ok()?;
    stranger.run("ping -c 2 -W 1 10.77.0.1").expect_failure()?;
    neighbour.run("ip link del claim").expect_ok()?;
    ursa.enrol(neighbour)?;
    let second = ursa.guest("v2", neighbour)?;
    second.run("ip addr add 10.77.2.2/16 dev eth0 && ip link set eth0 up").expect_ok()?;
    second.run("ping -c 3 -W 5 10.77.0.1").expect_ok()?;
    let _again = host.run("exec landbridge-node host run").spawn()?;
    host.wait_until("nft list chain inet landbridge_ursa input | grep 192.0.2.12", SOON)?;
    second.run("ping -c 3 -W 5 10.77.2.1").expect_ok()?;
    Ok(())
}

/// A VXLAN link of the segment's number from a machine's own address to a member's, and an address of the vLAN. What comes back is
/// sent from an address that a stranger can't reach, so it learns nothing from that.
fn claim(machine: &Machine, own: &str, member: &str) -> LabResult<()> {
    let link = format!("ip link add claim type vxlan id 77 local {own} remote {member} dstport 4789 nolearning");
    machine.run(&link).expect_ok()?;
    machine.run("ip addr add 10.77.9.9/16 dev claim && ip link set claim up").expect_ok().map(drop)
}
