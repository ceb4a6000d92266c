//! The front-end's bootstrap: `plan`, `up`, what strangers see of it, changes, and `down`.

use std::collections::BTreeSet;
use std::time::Duration;

use netns_tests::ursa::{CLUSTER_TOML, Trace, Ursa, Way};
use netns_tests::{LabResult, Machine};

/// For whatever comes by itself, on a busy machine.
const SOON: Duration = Duration::from_mins(1);
/// What `plan` says with its exit status.
const NOTHING: i32 = 0;
const CHANGES: i32 = 2;

#[test]
fn up_makes_a_front_end_that_strangers_find_on_the_vlan_and_nowhere_else() -> LabResult<()> {
    let ursa = Ursa::draw("up")?;
    let bare = Trace::of(&ursa.frontend)?;
    assert_eq!(plan(&ursa)?.0, CHANGES);
    assert_eq!(Trace::of(&ursa.frontend)?, bare, "planning changes nothing");
    ursa.landbridge("up").expect_ok()?;
    assert_eq!(plan(&ursa)?, (NOTHING, "nothing would change\n".to_owned()));
    assert_eq!(ursa.landbridge("up").expect_ok()?, "ursa is up; nothing had to change\n");

    let links: serde_json::Value = json(&ursa.frontend, "ip -j -d addr show lbbr-ursa")?;
    assert_eq!((&links[0]["mtu"], &links[0]["addr_info"][0]["local"]), (&1500.into(), &"10.77.0.1".into()));
    assert_eq!(links[0]["ifalias"], "landbridge:ursa");
    let ports = json(&ursa.frontend, "ip -j link show master lbbr-ursa")?;
    let ports: BTreeSet<_> =
        ports.as_array().into_iter().flatten().filter_map(|port| port["ifname"].as_str()).collect();
    assert_eq!(ports, BTreeSet::from(["lbt0-ursa", "lbt1-ursa", "lbt2-ursa", "lbvx-ursa"]));
    assert!(ursa.grid("qhost")?.contains("global"));
    ursa.enrol(&ursa.hosts[0])?;
    served(&ursa)?;
    refused(&ursa)?;

    // What Debian's /etc/nftables.conf begins with, whenever somebody reloads it.
    ursa.frontend.run("nft flush ruleset").expect_ok()?;
    let (status, plan) = plan(&ursa)?;
    assert!(status == CHANGES && plan.contains("~ run guard: what it did is not so any more"), "{plan}");
    ursa.frontend.wait_until("nft list chain inet landbridge_ursa input", SOON)?;
    Ok(())
}

/// A machine on the vLAN finds the home directories and the users.
fn served(ursa: &Ursa) -> LabResult<()> {
    let guest = ursa.guest("v1", &ursa.hosts[0])?;
    guest.run("ip addr add 10.77.2.1/16 dev eth0 && ip link set eth0 up").expect_ok()?;
    assert!(guest.run("ypcat -h 10.77.0.1 -d ursa.vlan passwd").expect_ok()?.contains("ada:"));
    let listed = guest.run("nfs-ls 'nfs://10.77.0.1/?version=4'").expect_ok()?;
    assert!(listed.contains("ada"), "{listed}");
    Ok(())
}

/// A machine beside the physical hosts, and one in the internet, find nothing; not even when they send packets for the vLAN's
/// address to the front-end's other ones.
fn refused(ursa: &Ursa) -> LabResult<()> {
    let stranger = ursa.lab.machine("stranger").nic("wan0", &ursa.cloud, "203.0.113.66/24").start()?;
    stranger.run("ip route add 198.51.100.0/24 dev wan0 && ip route add 10.77.0.1/32 via 198.51.100.1").expect_ok()?;
    let neighbour = &ursa.hosts[1];
    neighbour.run("ip route add 10.77.0.1/32 via 192.0.2.10").expect_ok()?;
    for (machine, own) in [(&stranger, "198.51.100.1"), (neighbour, "192.0.2.10")] {
        machine.run(&format!("ping -c 1 -W 5 {own}")).expect_ok()?;
        for address in [own, "10.77.0.1"] {
            let where_from = format!("{} to {address}", machine.name());
            let maps =
                machine.run(&format!("timeout -s KILL 5 ypcat -h {address} -d ursa.vlan passwd")).expect_failure()?;
            assert!(!maps.out().contains("ada"), "NIS from {where_from}");
            let home = machine.run(&format!("timeout -s KILL 5 nfs-ls 'nfs://{address}/?version=4'")).output()?;
            assert!(!home.out().contains("ada"), "NFS from {where_from}");
            let queue = machine.run(&format!("timeout 3 bash -c '</dev/tcp/{address}/6444'")).output()?;
            assert_ne!(queue.status, 0, "the queue master from {where_from}");
        }
    }
    Ok(())
}

#[test]
fn a_changed_file_is_planned_as_old_and_new_and_followed_and_down_leaves_no_trace() -> LabResult<()> {
    let ursa = Ursa::draw("down")?;
    let bare = Trace::of(&ursa.frontend)?;
    ursa.landbridge("up").expect_ok()?;
    let openvpn = process(&ursa, "openvpn")?;

    edit(&ursa, &[("10.77.1.0/24", "10.77.3.0/24"), (r#"["/home"]"#, r#"["/home", "/srv"]"#)])?;
    let (status, planned) = plan(&ursa)?;
    assert_eq!(status, CHANGES);
    insta::assert_snapshot!("plan_range_and_export", planned);
    ursa.landbridge("up").expect_ok()?;
    assert_eq!(plan(&ursa)?.0, NOTHING);
    assert_eq!(process(&ursa, "openvpn")?, openvpn, "nothing of this concerns the tunnels");
    ursa.token("w1", netns_tests::ursa::Way::Bridge, "ursa01")?;
    assert!(ursa.address("w1")?.starts_with("10.77.3."));

    edit(&ursa, &[("mtu = 1500", "mtu = 1400")])?;
    let (status, planned) = plan(&ursa)?;
    assert_eq!(status, CHANGES);
    insta::assert_snapshot!("plan_mtu", planned);
    ursa.landbridge("up").expect_ok()?;
    assert_eq!(plan(&ursa)?.0, NOTHING);
    let links = json(&ursa.frontend, "ip -j link show type bridge")?;
    assert_eq!(links[0]["mtu"], 1400);

    ursa.enrol(&ursa.hosts[0])?;
    let kept = ursa.landbridge("down").expect_failure()?;
    assert!(kept.err().contains("part of the cluster still: w1, ursa01"), "{}", kept.err());
    ursa.landbridge("status").expect_ok()?;
    ursa.landbridge("down --force --purge").expect_ok()?;
    ursa.frontend.write_file("/etc/landbridge/cluster.toml", CLUSTER_TOML)?;
    assert_eq!(Trace::of(&ursa.frontend)?, bare);
    Ok(())
}

#[test]
fn what_stands_in_the_way_is_told_and_nothing_is_changed() -> LabResult<()> {
    let ursa = Ursa::draw("obstacles")?;
    let front_end = &ursa.frontend;
    let told = |what: &str, make: &str, back: &str| -> LabResult<()> {
        front_end.run(make).expect_ok()?;
        let before = Trace::of(front_end)?;
        let (planned, tried) = (ursa.landbridge("plan").expect_failure()?, ursa.landbridge("up").expect_failure()?);
        assert_eq!(Trace::of(front_end)?, before, "{what}");
        assert_eq!(planned.status, 1, "{what}");
        insta::assert_snapshot!(what, tried.err());
        front_end.run(back).expect_ok().map(drop)
    };
    told("a_foreign_bridge", "ip link add lbbr-ursa type bridge", "ip link del lbbr-ursa")?;
    told("no_programs", "mv /usr/sbin/ypserv /usr/sbin/openvpn /root", "mv /root/ypserv /root/openvpn /usr/sbin")?;
    told("no_export", "rm -rf /tmp/home; sed -i 's#/home#/data#' /etc/landbridge/cluster.toml", "true")
}

#[test]
fn where_systemd_is_the_init_up_installs_a_unit_and_down_removes_it() -> LabResult<()> {
    let ursa = Ursa::draw("unit")?;
    // Without NIS, for which the system's rpcbind would be asked of a systemd that isn't there.
    edit(&ursa, &[("nis = { domain = \"ursa.vlan\" }\n", ""), ("nfs = { exports = [\"/home\"] }\n", "")])?;
    ursa.frontend.run("mkdir -p /run/systemd/system").expect_ok()?;
    let bare = Trace::of(&ursa.frontend)?;
    for _ in 0..2 {
        ursa.landbridge("up").expect_ok()?;
    }
    let wanted =
        "cd /etc/systemd/system && cat multi-user.target.d/landbridge.conf && grep ^ExecStart= landbridge.service";
    let unit = ursa.frontend.run(wanted).expect_ok()?;
    assert!(unit.starts_with("[Unit]\nWants=landbridge.service\nExecStart=/"), "{unit}");
    assert!(unit.ends_with("landbridge --file /etc/landbridge/cluster.toml up\n"), "{unit}");
    ursa.landbridge("down --force --purge").expect_ok()?;
    assert_eq!(Trace::of(&ursa.frontend)?.since(&bare), Vec::<String>::new());
    Ok(())
}

#[test]
fn a_front_end_that_gets_another_address_shows_it_and_its_workers_find_it_there() -> LabResult<()> {
    let ursa = Ursa::light("moves")?;
    ursa.frontend.run("ip addr add 198.51.100.9/24 dev wan0").expect_ok()?;
    edit(&ursa, &[("198.51.100.1\"", "198.51.100.9\"")])?;
    ursa.landbridge("up").deadline(SOON).expect_ok()?;
    let e1 = ursa.light_instance("e1", "203.0.113.11/24")?;
    let shown =
        "openssl s_client -connect 198.51.100.9:7443 </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName";
    assert!(e1.run(shown).expect_ok()?.contains("IP Address:198.51.100.9"));
    ursa.join(&e1, Way::Tunnel, "ec2")?;
    Ok(())
}

/// `plan`'s exit status and what it says.
fn plan(ursa: &Ursa) -> LabResult<(i32, String)> {
    let said = ursa.landbridge("plan").output()?;
    Ok((said.status, said.out()))
}

/// Edits the cluster's file.
fn edit(ursa: &Ursa, changes: &[(&str, &str)]) -> LabResult<()> {
    let file = "/etc/landbridge/cluster.toml";
    let mut text = ursa.frontend.read_text(file)?;
    for (old, new) in changes {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    }
    ursa.frontend.write_file(file, text)
}

fn process(ursa: &Ursa, name: &str) -> LabResult<String> {
    ursa.frontend.wait_until(&format!("pgrep -x {name}"), SOON)
}

fn json(machine: &Machine, command: &str) -> LabResult<serde_json::Value> {
    Ok(serde_json::from_str(&machine.run(command).expect_ok()?).expect("JSON"))
}
