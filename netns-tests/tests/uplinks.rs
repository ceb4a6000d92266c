//! The uplinks other than VXLAN: a plain port, and an 802.1Q trunk, the latter on machines whose kernel has it.

use std::time::Duration;

use netns_tests::ursa::{CLUSTER_TOML, Ursa};
use netns_tests::{Lab, LabResult, Machine, Network};

/// For whatever comes by itself, on a busy machine.
const SOON: Duration = Duration::from_mins(1);

#[test]
fn a_plain_port_carries_the_vlan_and_is_given_back_as_it_was() -> LabResult<()> {
    let lab = Lab::new("port")?;
    let (underlay, trunk) = (lab.network("underlay")?, lab.network("trunk")?);
    let machine =
        |name: &str, address: &str| lab.machine(name).nic("und0", &underlay, address).nic("eth1", &trunk, None).start();
    let frontend = machine("frontend", "192.0.2.10/24")?;
    let hosts = vec![machine("ursa01", "192.0.2.11/24")?, machine("ursa02", "192.0.2.12/24")?];
    let ursa = cluster(lab, &frontend, hosts, &underlay, r#"{ port = "eth1" }"#)?;
    let (on_front_end, on_host) = (nic(&frontend)?, nic(&ursa.hosts[1])?);

    up(&ursa)?;
    let (v1, v2) = (ursa.guest("v1", &ursa.hosts[0])?, ursa.guest("v2", &ursa.hosts[1])?);
    for (guest, address) in [(&v1, "10.77.2.1/16"), (&v2, "10.77.2.2/16")] {
        guest.run(&format!("ip addr add {address} dev eth0 && ip link set eth0 mtu 1400 up")).expect_ok()?;
    }
    v1.run("ping -c 3 -i 0.2 -W 5 -M do -s 1372 10.77.2.2").expect_ok()?;
    v1.run("ping -c 1 -W 5 10.77.0.1").expect_ok()?;
    assert_ne!(nic(&frontend)?, on_front_end, "it is a port of the bridge now");

    ursa.landbridge("host remove ursa02").expect_ok()?;
    ursa.await_host("ursa02", "new", SOON)?;
    assert_eq!(nic(&ursa.hosts[1])?, on_host);
    ursa.landbridge("down --force").expect_ok()?;
    assert_eq!(nic(&frontend)?, on_front_end);
    Ok(())
}

#[test]
fn a_kernel_without_802_1q_is_told_of_before_anything_is_changed() -> LabResult<()> {
    let ursa = Ursa::draw("no-8021q")?;
    let vlan = CLUSTER_TOML
        .replace("{ vxlan = { vni = 77, underlay-mtu = 1600 } }", r#"{ vlan = { id = 77, parent = "und0" } }"#);
    ursa.frontend.write_file("/etc/landbridge/cluster.toml", vlan)?;
    let state = "ip -o link; ls -A /var/lib/landbridge /run/landbridge 2>&1; pgrep -l openvpn; true";
    let before = ursa.frontend.run(state).expect_ok()?;
    let said = ursa.landbridge("up").expect_failure()?;
    assert_eq!(ursa.frontend.run(state).expect_ok()?, before);
    insta::assert_snapshot!(said.err());
    Ok(())
}

#[test]
fn a_trunk_carries_the_vlan_tagged_between_machines_whose_kernel_has_802_1q() -> LabResult<()> {
    let lab = Lab::new("trunk")?;
    let (underlay, trunk) = (lab.network("underlay")?, lab.network("trunk")?);
    let machine =
        |name: &str, address: &str| lab.uml(name).nic("und0", &underlay, address).nic("eth1", &trunk, None).boot();
    let (frontend, host) = (machine("frontend", "192.0.2.10/24")?, machine("ursa01", "192.0.2.11/24")?);
    let wire = lab.machine("wire").nic("eth1", &trunk, None).start()?;
    let hosts = vec![Machine::clone(&host)];
    let ursa = cluster(lab, &frontend, hosts, &underlay, r#"{ vlan = { id = 77, parent = "eth1" } }"#)?;
    let before = nic(&host)?;
    for machine in [&frontend as &Machine, &host] {
        machine.run("modprobe 8021q && modprobe bridge && modprobe veth && ip link set eth1 up").expect_ok()?;
    }
    up(&ursa)?;
    let link = host.run("ip -d link show lbvl-ursa").expect_ok()?;
    assert!(link.contains("vlan protocol 802.1Q id 77") && link.contains("lbvl-ursa@eth1"), "{link}");

    guest_on_bridge(&host, "10.77.2.1/16")?;
    let mut tags = wire.run("ip link set eth1 up; tcpdump -i eth1 -n -e -l -c 1 vlan 77").spawn()?;
    tags.wait_for_output("listening on eth1", SOON)?;
    host.run("ip netns exec guest ping -c 5 -i 0.2 -W 5 10.77.0.1").expect_ok()?;
    let seen = tags.wait(SOON)?.out();
    assert!(seen.contains("vlan 77"), "{seen}");

    ursa.landbridge("host remove ursa01").expect_ok()?;
    ursa.await_host("ursa01", "new", SOON)?;
    host.run("! ip link show lbvl-ursa && ! ip link show lbbr-ursa").expect_ok()?;
    assert_eq!(nic(&host)?, before);
    Ok(())
}

/// The lab's cluster without services, by another uplink.
fn cluster(lab: Lab, frontend: &Machine, hosts: Vec<Machine>, underlay: &Network, uplink: &str) -> LabResult<Ursa> {
    let services =
        CLUSTER_TOML.split_once("[services]").and_then(|(_, rest)| rest.split_once("\n\n")).expect("services").0;
    let file = CLUSTER_TOML
        .replace("{ vxlan = { vni = 77, underlay-mtu = 1600 } }", uplink)
        .replace("mtu = 1500", "mtu = 1400")
        .replace(services, "\nscheduler = \"none\"");
    frontend.write_file("/etc/landbridge/cluster.toml", file)?;
    let cloud = lab.network("cloud")?;
    let wan = lab.wan(&cloud, underlay)?;
    let (frontend, underlay) = (frontend.clone(), underlay.clone());
    let internet = underlay.clone();
    Ok(Ursa { lab: lab.into(), frontend, hosts, wan, cloud, underlay, internet })
}

fn up(ursa: &Ursa) -> LabResult<()> {
    ursa.landbridge("up").expect_ok()?;
    for host in &ursa.hosts {
        ursa.enrol(host)?;
        ursa.await_host(host.name(), "on", SOON)?;
    }
    Ok(())
}

/// A machine behind a port of the host's bridge: a namespace of the host's own kernel.
fn guest_on_bridge(host: &Machine, address: &str) -> LabResult<()> {
    let line = format!(
        "ip netns add guest && ip link add g0 type veth peer name g1 netns guest && ip link set g0 master lbbr-ursa up && \
         ip -n guest addr add {address} dev g1 && ip -n guest link set g1 mtu 1400 up"
    );
    host.run(&line).expect_ok().map(drop)
}

/// Everything that a cluster might change on a NIC that it was given.
fn nic(machine: &Machine) -> LabResult<String> {
    machine.run("ip -o link show eth1 | sed 's/^[0-9]*//'; ip -o -4 addr show eth1; ip -d -o link show eth1 | grep -o 'promiscuity [0-9]*'").expect_ok()
}
