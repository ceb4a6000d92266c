//! The vLAN's links on each machine. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use landbridge_fabric::{InterfaceName, LinkKind, LinkSpec, Network};

use crate::naming;
use crate::spec::{Cluster, Uplink};

/// VXLAN's UDP port by IANA.
const VXLAN_PORT: u16 = 4789;

/// The front-end's links: the bridge with the first address of the subnet, the uplink towards `members` (the underlay
/// addresses of the enrolled hosts), and the taps of the tunnels' server processes.
pub fn of_front_end(cluster: &Cluster, members: &BTreeSet<Ipv4Addr>, taps: &[InterfaceName]) -> Network {
    let mut network = of_member(cluster, cluster.front_end.underlay, members);
    let bridge = naming::bridge(&cluster.name);
    if let Some(link) = network.links.get_mut(&bridge) {
        link.addresses.insert(cluster.vlan.front_end());
    }
    // A port drops what is larger than its MTU. The bridge and every other port keep the vLAN's, so that nothing large gets
    // anywhere but into the tunnels, by the routes that allow it.
    let mtu = cluster.wide().unwrap_or(cluster.vlan.mtu);
    let tap = LinkSpec { kind: LinkKind::Tap, mtu, controller: Some(bridge), addresses: BTreeSet::new() };
    network.links.extend(taps.iter().map(|name| (name.clone(), tap.clone())));
    network
}

/// A physical host's links: the bridge without an address, and the uplink towards the other `members`.
pub fn of_host(cluster: &Cluster, underlay: Ipv4Addr, members: &BTreeSet<Ipv4Addr>) -> Network {
    let mut all = members.clone();
    all.insert(cluster.front_end.underlay);
    of_member(cluster, underlay, &all)
}

fn of_member(cluster: &Cluster, own: Ipv4Addr, members: &BTreeSet<Ipv4Addr>) -> Network {
    let bridge = naming::bridge(&cluster.name);
    let link = |kind, controller| LinkSpec { kind, mtu: cluster.vlan.mtu, controller, addresses: BTreeSet::new() };
    let (name, kind) = uplink(cluster, own, members);
    let links = BTreeMap::from([(bridge.clone(), link(LinkKind::Bridge, None)), (name, link(kind, Some(bridge)))]);
    Network { owner: cluster.name.owner(), links }
}

fn uplink(cluster: &Cluster, own: Ipv4Addr, members: &BTreeSet<Ipv4Addr>) -> (InterfaceName, LinkKind) {
    match &cluster.vlan.uplink {
        Uplink::Vxlan { vni, .. } => {
            let flood = members.iter().copied().filter(|m| *m != own).collect();
            (naming::vxlan(&cluster.name), LinkKind::Vxlan { vni: *vni, local: own, port: VXLAN_PORT, flood })
        }
        Uplink::Vlan { id, parent } => {
            (naming::vlan(&cluster.name), LinkKind::Vlan { id: *id, parent: parent.clone() })
        }
        Uplink::Port { nic } => (nic.clone(), LinkKind::Existing),
    }
}
