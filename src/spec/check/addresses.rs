//! Addresses: well-formed, usable, and none of them twice.

use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;

use crate::reading::{Placed, Sink};
use crate::spec::Code;
use crate::spec::document::Document;

/// The front-end's address on the vLAN: the subnet's first.
pub(super) fn front_end(subnet: Ipv4Network) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(subnet.network()).saturating_add(1))
}

/// A subnet in the form `ADDRESS/PREFIX`, without host bits.
pub(super) fn network(text: &Placed<String>, example: &str, sink: &Sink<'_>) -> Option<Ipv4Network> {
    let hint = format!("write an IPv4 network address and a prefix length, for example {example:?}");
    let parsed = if text.value.contains('/') { text.value.parse::<Ipv4Network>().ok() } else { None };
    let Some(parsed) = parsed else {
        sink.error(Code::SubnetIllFormed, &text.span, format!("{:?} is no IPv4 subnet", text.value), hint);
        return None;
    };
    if parsed.ip() != parsed.network() {
        let message = format!("{parsed} has host bits set: it is an address inside a subnet");
        let hint = format!("the subnet is \"{}/{}\"", parsed.network(), parsed.prefix());
        sink.error(Code::HostBits, &text.span, message, hint);
        return None;
    }
    Some(parsed)
}

/// An address that one machine can have.
pub(super) fn address(text: &Placed<String>, sink: &Sink<'_>) -> Option<Ipv4Addr> {
    let Ok(address) = text.value.parse::<Ipv4Addr>() else {
        let message = format!("{:?} is no IPv4 address", text.value);
        let hint = "write four numbers, for example \"192.0.2.10\"; no name, no prefix length, no port";
        sink.error(Code::AddressIllFormed, &text.span, message, hint);
        return None;
    };
    if address.is_unspecified() || address.is_loopback() || address.is_multicast() || address.octets()[0] >= 240 {
        let message = format!("{address} can't be reached from another machine");
        let hint = "use the address by which the other members know this machine";
        sink.error(Code::AddressUnusable, &text.span, message, hint);
        return None;
    }
    Some(address)
}

/// Addresses against each other and against the vLAN.
pub(super) fn check(document: &Document, sink: &Sink<'_>) {
    let front_end = document.front_end.as_ref();
    let own = front_end.and_then(|f| f.underlay.as_ref());
    let public = front_end.and_then(|f| f.public.as_ref());
    let hosts: Vec<_> = document.host.iter().filter_map(|host| host.underlay.as_ref()).collect();
    inside_vlan(document, own.into_iter().chain(public).chain(hosts.iter().copied()), sink);
    for (n, text) in hosts.iter().enumerate() {
        if let Some(first) = hosts[..n].iter().find(|first| same(first, text)) {
            let message = format!("two hosts have the address {}", text.value);
            sink.clash(
                Code::AddressTwice,
                &text.span,
                (&first.span, "the first one"),
                message,
                "each host needs an address of its own",
            );
        }
        if let Some(own) = [own, public].into_iter().flatten().find(|own| same(own, text)) {
            let message = format!("a host has the front-end's address {}", text.value);
            let hint = "each member needs an address of its own towards the others";
            sink.clash(Code::AddressOfFrontEnd, &text.span, (&own.span, "the front-end's"), message, hint);
        }
    }
}

fn same(a: &Placed<String>, b: &Placed<String>) -> bool {
    matches!((a.value.parse::<Ipv4Addr>(), b.value.parse::<Ipv4Addr>()), (Ok(a), Ok(b)) if a == b)
}

/// An address of the network below would be shadowed by the vLAN's own route.
fn inside_vlan<'p>(document: &'p Document, texts: impl Iterator<Item = &'p Placed<String>>, sink: &Sink<'_>) {
    let Some(place) = document.vlan.as_ref().and_then(|vlan| vlan.subnet.as_ref()) else { return };
    let Ok(subnet) = place.value.parse::<Ipv4Network>() else { return };
    if subnet.prefix() < 8 {
        return;
    }
    for text in texts {
        if text.value.parse().is_ok_and(|address| subnet.contains(address)) {
            let message =
                format!("{} lies inside the vLAN's subnet {}/{}", text.value, subnet.network(), subnet.prefix());
            let hint = "the vLAN's route would hide the network that carries it: choose another subnet";
            sink.clash(Code::AddressInVlan, &text.span, (&place.span, "the vLAN"), message, hint);
        }
    }
}
