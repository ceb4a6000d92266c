//! Words in which the tests speak of networks.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

pub mod netns;
pub mod properties;
pub mod strategy;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;
use landbridge_fabric::{InterfaceName, Kind, Link, LinkKind, LinkSpec, Mtu, Network, Owner, VlanId, Vni};

pub fn name(text: &str) -> InterfaceName {
    InterfaceName::new(text).unwrap()
}

pub fn owner() -> Owner {
    Owner("ursa".into())
}

/// Links by name, made into a network of `ursa`.
pub fn network<const N: usize>(links: [(&str, LinkSpec); N]) -> Network {
    Network { owner: owner(), links: links.into_iter().map(|(n, spec)| (name(n), spec)).collect() }
}

/// What a link can be wished to be, one word a property.
pub trait Wish {
    fn mtu(self, bytes: u32) -> LinkSpec;
    fn port_of(self, controller: &str) -> LinkSpec;
    fn address(self, address: &str) -> LinkSpec;
}

fn spec(kind: LinkKind) -> LinkSpec {
    LinkSpec { kind, mtu: Mtu::ETHERNET, controller: None, addresses: [].into() }
}

pub fn bridge() -> LinkSpec {
    spec(LinkKind::Bridge)
}

pub fn tap() -> LinkSpec {
    spec(LinkKind::Tap)
}

pub fn nic() -> LinkSpec {
    spec(LinkKind::Existing)
}

pub fn vlan(id: u16, parent: &str) -> LinkSpec {
    spec(LinkKind::Vlan { id: VlanId::new(id).unwrap(), parent: name(parent) })
}

/// A VXLAN end point at 192.0.2.1, which floods to 192.0.2.N for each N.
pub fn vxlan(vni: u32, flood: &[u8]) -> LinkSpec {
    let flood = flood.iter().map(|last| Ipv4Addr::new(192, 0, 2, *last)).collect();
    let local = Ipv4Addr::new(192, 0, 2, 1);
    spec(LinkKind::Vxlan { vni: Vni::new(vni).unwrap(), local, port: 4789, flood })
}

impl Wish for LinkSpec {
    fn mtu(self, bytes: u32) -> LinkSpec {
        LinkSpec { mtu: Mtu::new(bytes).unwrap(), ..self }
    }

    fn port_of(self, controller: &str) -> LinkSpec {
        LinkSpec { controller: Some(name(controller)), ..self }
    }

    fn address(mut self, address: &str) -> LinkSpec {
        self.addresses.insert(address.parse().unwrap());
        self
    }
}

/// A link of somebody else's: up, with an MTU of 1500.
pub fn foreign(kind: Kind) -> Link {
    let (controller, addresses, flood, alias) = (None, [].into(), [].into(), None);
    Link { kind, mtu: 1500, up: true, controller, addresses, flood, alias }
}

/// A NIC as a veth is one.
pub fn veth() -> Link {
    foreign(Kind::Other { name: "veth".into(), parent: None })
}

pub fn address(text: &str) -> Ipv4Network {
    text.parse().unwrap()
}

pub fn links<const N: usize>(links: [(&str, Link); N]) -> BTreeMap<InterfaceName, Link> {
    links.into_iter().map(|(n, link)| (name(n), link)).collect()
}

/// Runs what never waits for anything outside.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// A front-end's network: bridge, uplink, tunnel, and a NIC as a port.
pub fn front_end() -> Network {
    network([
        ("lbbr-ursa", bridge().address("10.77.0.1/16")),
        ("lbvx-ursa", vxlan(77, &[11, 12]).mtu(1450).port_of("lbbr-ursa")),
        ("lbt0-ursa", tap().mtu(9000).port_of("lbbr-ursa")),
        ("eth1", nic().port_of("lbbr-ursa")),
    ])
}
