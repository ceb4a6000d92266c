//! Physical hosts: enrolled both ways, one segment, drift repaired, and let go.

use std::collections::BTreeSet;
use std::time::Duration;

use netns_tests::ursa::Ursa;
use netns_tests::{LabResult, Machine};

/// For whatever comes by itself, on a busy machine.
const SOON: Duration = Duration::from_mins(1);

const UPLINK: &str = "lbvx-ursa";

#[test]
fn hosts_are_added_joined_to_one_segment_repaired_and_removed() -> LabResult<()> {
    let ursa = Ursa::draw("hosts")?;
    ursa.landbridge("up").expect_ok()?;
    let (one, two) = (&ursa.hosts[0], &ursa.hosts[1]);
    let bare = links(two)?;

    add_over_ssh(&ursa, one)?;
    ursa.enrol(two)?;
    for host in ["ursa01", "ursa02"] {
        ursa.await_host(host, "on", SOON)?;
    }
    flood(&ursa.frontend, &["192.0.2.11", "192.0.2.12"])?;
    flood(one, &["192.0.2.10", "192.0.2.12"])?;
    flood(two, &["192.0.2.10", "192.0.2.11"])?;

    let (v1, v2) = (ursa.guest("v1", one)?, ursa.guest("v2", two)?);
    for (guest, address) in [(&v1, "10.77.2.1/16"), (&v2, "10.77.2.2/16")] {
        guest.run(&format!("ip addr add {address} dev eth0 && ip link set eth0 up")).expect_ok()?;
    }
    // Both links carry the whole MTU: the guests' own packets, and VXLAN's around them.
    v1.run("ping -c 3 -i 0.2 -M do -s 1472 10.77.2.2").expect_ok()?;
    v1.run("ping -c 1 10.77.0.1").expect_ok()?;

    drift_is_repaired_without_a_front_end(&ursa, two, v2.tap()?)?;
    v1.run("ping -c 3 -i 0.2 -W 5 10.77.2.2").expect_ok()?;

    ursa.landbridge("up").expect_ok()?;
    remove(&ursa, two, v2.tap()?, &bare)?;
    add_again(&ursa, two)
}

#[test]
fn an_underlay_that_can_not_carry_the_vlan_is_told_of_on_both_sides() -> LabResult<()> {
    let ursa = Ursa::draw_light("underlay")?;
    let (front_end, host) = (&ursa.frontend, &ursa.hosts[0]);
    let bare = links(front_end)?;
    front_end.run("ip addr del 192.0.2.10/24 dev und0 && ip addr add 192.0.2.99/24 dev und0").expect_ok()?;
    let told = unwrapped(&ursa.landbridge("up").expect_failure()?.err());
    assert!(told.contains("192.0.2.10 on a link of this machine") && told.contains("192.0.2.99 on und0"), "{told}");
    front_end.run("ip addr add 192.0.2.10/24 dev und0 && ip link set und0 mtu 1500").expect_ok()?;
    let told = unwrapped(&ursa.landbridge("up").expect_failure()?.err());
    assert!(told.contains("1550 bytes to pass und0") && told.contains("set vlan.mtu to 1450"), "{told}");
    front_end.run("ip link set und0 mtu 1600").expect_ok()?;
    assert_eq!(links(front_end)?, bare, "nothing was changed");
    ursa.landbridge("up").expect_ok()?;

    host.run("ip link set und0 mtu 1500").expect_ok()?;
    ursa.enrol(host)?;
    ursa.await_host("ursa01", "error", SOON)?;
    let told = ursa.landbridge("host show ursa01").expect_ok()?;
    assert!(told.contains("1550 bytes to pass und0"), "{told}");
    host.run("ip link set und0 mtu 1600").expect_ok()?;
    ursa.await_host("ursa01", "on", SOON)?;
    front_end.wait_until("landbridge host show ursa01 --output json | grep idle_cpu", SOON).map(drop)
}

#[test]
fn a_host_without_nft_has_its_fabric_and_is_an_error_until_it_has_its_guard() -> LabResult<()> {
    let ursa = Ursa::draw_light("no-nft")?;
    ursa.landbridge("up").expect_ok()?;
    let host = &ursa.hosts[0];
    host.run("mv /usr/sbin/nft /usr/sbin/nft.away").expect_ok()?;
    ursa.enrol(host)?;
    ursa.await_host("ursa01", "error", SOON)?;
    host.wait_until(&format!("ip link show master lbbr-ursa | grep {UPLINK}"), SOON)?;
    let told = ursa.landbridge("host show ursa01").expect_ok()?;
    assert!(told.contains("/usr/sbin/nft") && told.contains("nftables"), "{told}");
    assert_eq!(ursa.landbridge("status").output()?.status, 2, "somebody should look at it");
    host.run("mv /usr/sbin/nft.away /usr/sbin/nft").expect_ok()?;
    ursa.await_host("ursa01", "on", SOON)?;
    host.run("nft list ruleset | grep -w 4789").expect_ok().map(drop)
}

/// What was told in lines of a width.
fn unwrapped(told: &str) -> String {
    told.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `host add --ssh` with nothing on the host but sshd and the person's key.
fn add_over_ssh(ursa: &Ursa, host: &Machine) -> LabResult<()> {
    let front_end = &ursa.frontend;
    front_end.run("ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519").expect_ok()?;
    let key = front_end.read_text("/root/.ssh/id_ed25519.pub")?;
    host.write_file_with_mode("/root/.ssh/authorized_keys", key, 0o600)?;
    host.run("chmod 700 /root /root/.ssh && ssh-keygen -A && mkdir -p /run/sshd && /usr/sbin/sshd").expect_ok()?;
    let host_key = host.read_text("/etc/ssh/ssh_host_ed25519_key.pub")?;

    // A host whose key nobody has confirmed is not trusted, and nothing is installed there.
    let stranger = ursa.landbridge("host add ursa01 --ssh root@192.0.2.11").expect_failure()?;
    assert!(stranger.err().contains("Host key verification"), "{}", stranger.err());
    front_end.write_file("/root/.ssh/known_hosts", format!("192.0.2.11 {host_key}"))?;
    let said = ursa.landbridge("host add ursa01 --ssh root@192.0.2.11").expect_ok()?;
    assert!(said.contains("ursa01 is enrolled"), "{said}");
    let program = host.run("readlink /proc/$(pgrep landbridge-node)/exe").expect_ok()?;
    assert_eq!(program, "/usr/local/sbin/landbridge-node\n");
    Ok(())
}

/// The kernel's own list of where broadcasts go.
fn flood(machine: &Machine, members: &[&str]) -> LabResult<()> {
    let members: BTreeSet<&str> = members.iter().copied().collect();
    let expected = members.len();
    // It follows within moments: an order is on its way.
    machine
        .wait_until(&format!("test $(bridge fdb show dev {UPLINK} | grep -c ^00:00:00:00:00:00) = {expected}"), SOON)?;
    let text = machine.run(&format!("bridge -j fdb show dev {UPLINK}")).expect_ok()?;
    let entries: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON from bridge");
    let flood = entries.iter().filter(|entry| entry["mac"] == "00:00:00:00:00:00");
    let seen: BTreeSet<&str> = flood.filter_map(|entry| entry["dst"].as_str()).collect();
    assert_eq!(seen, members, "on {}", machine.name());
    Ok(())
}

/// Links that go, and settings that change, come back within seconds, while the daemon is dead. What others put on the
/// bridge stays.
fn drift_is_repaired_without_a_front_end(ursa: &Ursa, host: &Machine, tap: &str) -> LabResult<()> {
    ursa.kill_daemon()?;
    ursa.landbridge("status").expect_failure()?;
    host.run(&format!("ip link del {UPLINK}")).expect_ok()?;
    host.wait_until(&format!("ip link show {UPLINK} | grep -q '<.*UP.*> mtu 1500 .*master lbbr-ursa'"), SOON)?;
    flood(host, &["192.0.2.10", "192.0.2.11"])?;
    host.run("ip link set lbbr-ursa mtu 1400").expect_ok()?;
    host.wait_until("ip link show lbbr-ursa | grep -q 'mtu 1500'", SOON)?;
    host.run(&format!("ip link set {UPLINK} nomaster down")).expect_ok()?;
    host.wait_until(&format!("ip link show {UPLINK} | grep -q '<.*UP.*> .*master lbbr-ursa'"), SOON)?;
    host.run(&format!("ip link show {tap} | grep 'master lbbr-ursa'")).expect_ok()?;
    Ok(())
}

/// The host gives back what it had, its program ends, its certificate is worth nothing, and everybody else forgets it.
fn remove(ursa: &Ursa, host: &Machine, tap: &str, bare: &str) -> LabResult<()> {
    let said = ursa.landbridge("host remove ursa02").expect_ok()?;
    assert_eq!(said, "ursa02 gives its fabric back and is then removed\n");
    ursa.await_host("ursa02", "new", SOON)?;
    host.wait_until("! pgrep landbridge-node", SOON)?;
    let seen = links(host)?;
    let left: String = seen.split_inclusive('\n').filter(|line| !line.starts_with(tap)).collect();
    assert_eq!(left, bare, "but for the guest's tap, the host has the links that it had");
    host.run(&format!("ip link show {tap}")).expect_ok()?;
    host.run(
        "test ! -e /var/lib/landbridge-node/host/identity.json && test ! -e /var/lib/landbridge-node/host/key.pem",
    )
    .expect_ok()?;
    flood(&ursa.frontend, &["192.0.2.11"])?;
    flood(&ursa.hosts[0], &["192.0.2.10"])?;
    let certificates = ursa.landbridge("pki show").expect_ok()?;
    assert!(certificates.lines().any(|l| l.starts_with("ursa02") && l.contains("revoked")), "{certificates}");
    let again = ursa.landbridge("host remove ursa02").expect_ok()?;
    assert_eq!(again, "ursa02 is leaving already, or was never added; nothing was changed\n");
    assert_eq!(ursa.landbridge("audit").expect_ok()?, "nothing is left over\n");
    Ok(())
}

fn add_again(ursa: &Ursa, host: &Machine) -> LabResult<()> {
    ursa.enrol(host)?;
    ursa.await_host("ursa02", "on", SOON)?;
    flood(&ursa.frontend, &["192.0.2.11", "192.0.2.12"])?;
    // A host that nobody can reach is taken out without it; when it turns up, it hears so.
    host.run("ip link set und0 down").expect_ok()?;
    assert_eq!(ursa.landbridge("host remove ursa02 --force").expect_ok()?, "ursa02 is removed\n");
    flood(&ursa.frontend, &["192.0.2.11"])?;
    host.run("ip link set und0 up").expect_ok()?;
    host.wait_until("! ip link show lbbr-ursa && ! pgrep landbridge-node", SOON)?;
    Ok(())
}

/// Every link with its MTU and controller, but for numbers that the kernel gives out.
fn links(machine: &Machine) -> LabResult<String> {
    machine
        .run("ip -o link | sed -E 's/^[0-9]+: //; s/@if[0-9]+//; s/link-netnsid [0-9]+//' | cut -d' ' -f1-8")
        .expect_ok()
}
