//! Whether this machine's way to the other members can carry a VXLAN uplink. The kernel makes one with an address that is nobody's and
//! towards links that are too small, and then nothing arrives.

use std::net::Ipv4Addr;

use landbridge_fabric::{InterfaceName, LinkKind, Mtu, Network, VXLAN_OVERHEAD};
use nix::ifaddrs::getifaddrs;

use crate::nic;
use crate::wire::Failure;

/// A link that has an address, as far as the judgement needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bearer {
    name: String,
    address: Ipv4Addr,
    mtu: Option<Mtu>,
}

/// What keeps the VXLAN links of `network` from carrying anything on this machine; nothing when all is well.
pub fn unfit(network: &Network) -> Option<Failure> {
    let bearers = bearers();
    network.links.values().find_map(|link| match &link.kind {
        LinkKind::Vxlan { local, .. } => judge(&bearers, *local, link.mtu),
        _ => None,
    })
}

fn bearers() -> Vec<Bearer> {
    let Ok(all) = getifaddrs() else { return Vec::new() };
    let bearer = |each: nix::ifaddrs::InterfaceAddress| {
        let address = each.address?.as_sockaddr_in()?.ip();
        let mtu = InterfaceName::new(&each.interface_name).ok().and_then(|name| nic::mtu(&name));
        Some(Bearer { name: each.interface_name, address, mtu })
    };
    all.filter_map(bearer).collect()
}

fn judge(bearers: &[Bearer], local: Ipv4Addr, inner: Mtu) -> Option<Failure> {
    let Some(bearer) = bearers.iter().find(|bearer| bearer.address == local) else {
        let others = bearers.iter().filter(|bearer| !bearer.address.is_loopback());
        let others: Vec<String> = others.map(|it| format!("{} on {}", it.address, it.name)).collect();
        return Some(Failure {
            expected: format!("the underlay address {local} on a link of this machine"),
            seen: if others.is_empty() { "it has no address".into() } else { format!("it has {}", others.join(", ")) },
            remedy: "give it that address, or put the one it has into the cluster's file as its `underlay`".into(),
        });
    };
    let needed = inner.bytes() + VXLAN_OVERHEAD;
    let found = bearer.mtu.filter(|mtu| mtu.bytes() < needed)?;
    Some(Failure {
        expected: format!(
            "{needed} bytes to pass {}: the vLAN's {inner} and VXLAN's {VXLAN_OVERHEAD} around them",
            bearer.name
        ),
        seen: format!("its MTU is {found}"),
        remedy: format!(
            "raise it there and on the network's switches, or set vlan.mtu to {} in the cluster's file",
            found.bytes().saturating_sub(VXLAN_OVERHEAD)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mtu(bytes: u32) -> Mtu {
        Mtu::new(bytes).expect("an MTU")
    }

    fn bearer(name: &str, address: [u8; 4], bytes: u32) -> Bearer {
        Bearer { name: name.into(), address: address.into(), mtu: Some(mtu(bytes)) }
    }

    #[test]
    fn an_address_that_is_not_there_is_told_with_those_that_are() {
        let bearers = [bearer("lo", [127, 0, 0, 1], 65_535), bearer("eth0", [192, 0, 2, 20], 1500)];
        let told = judge(&bearers, [192, 0, 2, 10].into(), mtu(1450)).expect("a failure");
        assert_eq!(told.seen, "it has 192.0.2.20 on eth0");
        assert_eq!(judge(&[], [192, 0, 2, 10].into(), mtu(1450)).expect("a failure").seen, "it has no address");
    }

    #[test]
    fn a_link_has_to_carry_the_frame_and_what_is_around_it() {
        let bearers = [bearer("eth0", [192, 0, 2, 10], 1500)];
        assert_eq!(judge(&bearers, [192, 0, 2, 10].into(), mtu(1450)), None);
        let told = judge(&bearers, [192, 0, 2, 10].into(), mtu(1451)).expect("a failure");
        assert_eq!(told.expected, "1501 bytes to pass eth0: the vLAN's 1451 and VXLAN's 50 around them");
        assert!(told.remedy.contains("vlan.mtu to 1450"), "{}", told.remedy);
    }
}
