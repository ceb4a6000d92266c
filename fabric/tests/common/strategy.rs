//! Random networks that a machine could be given, and the machine: what is on it of others.

use std::net::Ipv4Addr;

use landbridge_fabric::{Fault, Kind, Link, LinkKind, LinkSpec, Mtu, Network, Observed, VlanId, Vni};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::*;

/// Names of links that we may make. Any kind may come under any of them, so that kinds change.
const OURS: [&str; 6] = ["lb0", "lb1", "lb2", "lb3", "lb4", "lb5"];
/// The NICs that we may adopt.
const NICS: [&str; 2] = ["eth1", "eth2"];
/// Two of a subnet, one that `eth1` has from others, and one by itself.
const ADDRESSES: [&str; 5] = ["10.77.0.1/16", "10.77.0.2/16", "10.77.0.3/16", "198.51.100.7/24", "203.0.113.1/32"];

/// The machine before us: two NICs (veths, with their far ends), somebody's bridge with a port, somebody's VXLAN and
/// another cluster's bridge.
pub fn others() -> Observed {
    let mut eth1 = veth();
    eth1.addresses = [address("198.51.100.7/24")].into();
    let eth2 = Link { up: false, mtu: 1400, ..veth() };
    let far2 = Link { controller: Some(name("br0")), ..veth() };
    let vni = Vni::new(99).unwrap();
    let mut vxlan = foreign(Kind::Vxlan { vni, local: Some(Ipv4Addr::new(192, 0, 2, 1)), port: 4789 });
    vxlan.flood = [Ipv4Addr::new(192, 0, 2, 99)].into();
    let mut lyra = foreign(Kind::Bridge);
    lyra.addresses = [address("10.88.0.1/16")].into();
    lyra.alias = Some("landbridge:lyra".into());
    let mut all = links([("eth1", eth1), ("far1", veth()), ("eth2", eth2), ("far2", far2)]);
    all.extend(links([("br0", foreign(Kind::Bridge)), ("vx9", vxlan), ("lbbr-lyra", lyra)]));
    Observed { links: all }
}

/// A random network. `vlans`: whether the kernel has 802.1Q.
pub fn networks(vlans: bool) -> impl Strategy<Value = Network> {
    let names = subsequence([&OURS[..], &NICS[..]].concat(), 0..=8);
    names.prop_flat_map(move |names| vec(wishes(vlans), names.len()).prop_map(move |w| fit(&names, &w)))
}

/// A walk from network to network, on which things go wrong.
pub fn walks(vlans: bool, longest: usize) -> impl Strategy<Value = Vec<(Network, Option<Fault>)>> {
    vec((networks(vlans), option::of(faults())), 1..=longest)
}

fn faults() -> impl Strategy<Value = Fault> {
    (0..12_usize, select(vec![Fault::Refuse, Fault::DieBefore, Fault::DieAfter] as Vec<fn(usize) -> Fault>))
        .prop_map(|(at, fault)| fault(at))
}

/// A link before it is known what else there is.
#[derive(Clone, Debug)]
struct Wished {
    kind: LinkKind,
    mtu: u32,
    controller: Option<Index>,
    parent: Index,
    addresses: Vec<&'static str>,
}

fn wishes(vlans: bool) -> impl Strategy<Value = Wished> {
    let flood = btree_set((11..15_u8).prop_map(|last| Ipv4Addr::new(192, 0, 2, last)), 0..4);
    let vxlan = (77..80_u32, 1..3_u8, flood).prop_map(|(vni, last, flood)| LinkKind::Vxlan {
        vni: Vni::new(vni).unwrap(),
        local: Ipv4Addr::new(192, 0, 2, last),
        port: 4789,
        flood,
    });
    let sub_interface = (1..3_u16).prop_map(|id| LinkKind::Vlan { id: VlanId::new(id).unwrap(), parent: name("eth1") });
    let kind = prop_oneof![
        3 => Just(LinkKind::Bridge),
        2 => vxlan,
        2 => Just(LinkKind::Tap),
        u32::from(vlans) * 2 => sub_interface,
    ];
    let mtu = select(vec![1400, 1450, 1500, 9000]);
    (kind, mtu, option::of(any::<Index>()), any::<Index>(), subsequence(ADDRESSES.to_vec(), 0..3))
        .prop_map(|(kind, mtu, controller, parent, addresses)| Wished { kind, mtu, controller, parent, addresses })
}

/// Makes the wishes fit each other: ports of bridges that are there, VNIs and ids once, parents that can carry.
fn fit(names: &[&str], wished: &[Wished]) -> Network {
    let mut network = Network::empty(owner());
    for (text, wish) in names.iter().zip(wished) {
        let kind = if NICS.contains(text) { LinkKind::Existing } else { wish.kind.clone() };
        let addresses = wish.addresses.iter().map(|text| address(text)).collect();
        let spec = LinkSpec { kind, mtu: Mtu::new(wish.mtu).unwrap(), controller: None, addresses };
        network.links.insert(name(text), spec);
    }
    for (text, wish) in names.iter().zip(wished) {
        attach(&mut network, text, wish);
        put_on_parent(&mut network, text, wish);
    }
    drop_doubles(&mut network);
    network
}

fn attach(network: &mut Network, text: &str, wish: &Wished) {
    let is_bridge = |spec: &LinkSpec| spec.kind == LinkKind::Bridge;
    let bridges: Vec<_> = network.links.iter().filter(|(_, spec)| is_bridge(spec)).map(|(n, _)| n.clone()).collect();
    let spec = network.links.get_mut(&name(text)).unwrap();
    if let (Some(index), false, false) = (wish.controller, bridges.is_empty(), is_bridge(spec)) {
        spec.controller = Some(index.get(&bridges).clone());
    }
}

/// A NIC that may be adopted or not (`eth1`: up, 1500 bytes), or a tap of ours, below the sub-interface in name so that
/// nothing stands in a circle.
fn put_on_parent(network: &mut Network, text: &str, wish: &Wished) {
    let taps = network.links.iter().filter(|(_, spec)| spec.kind == LinkKind::Tap).map(|(n, _)| n.clone());
    let parents: Vec<_> = std::iter::once(name("eth1")).chain(taps).collect();
    let parent = wish.parent.get(&parents).clone();
    let carries = network.links.get(&parent).map_or(Mtu::ETHERNET, |spec| spec.mtu);
    let spec = network.links.get_mut(&name(text)).unwrap();
    if let LinkKind::Vlan { parent: on, .. } = &mut spec.kind {
        *on = parent;
        spec.mtu = spec.mtu.min(carries);
    }
}

fn drop_doubles(network: &mut Network) {
    let mut seen = Vec::new();
    network.links.retain(|_, spec| {
        let identity = match &spec.kind {
            LinkKind::Vxlan { vni, .. } => format!("vni {}", vni.get()),
            LinkKind::Vlan { id, parent } => format!("id {} on {parent}", id.get()),
            _ => return true,
        };
        let new = !seen.contains(&identity);
        seen.push(identity);
        new
    });
}
