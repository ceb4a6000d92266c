//! `[vlan]`: subnet, workers' range, MTU, uplink.

use ipnetwork::Ipv4Network;
use landbridge_fabric::{Mtu, VXLAN_OVERHEAD, VlanId, Vni};

use super::addresses::network;
use super::nic;
use crate::reading::{Placed, Sink, Span};
use crate::spec::document::{Document, TaggedTable, UplinkTable, VlanSection, VxlanTable};
use crate::spec::{Code, Uplink, Vlan};

/// The section by itself.
pub(super) fn check(section: &VlanSection, sink: &Sink<'_>) -> Option<Vlan> {
    let subnet = section.subnet.as_ref().and_then(|text| subnet(text, sink));
    let workers = section.workers.as_ref().and_then(|text| workers(text, subnet, sink));
    let mtu = mtu(section.mtu.as_ref(), sink);
    let uplink = section.uplink.as_ref().and_then(|table| uplink(table, sink));
    if let (Some(mtu), Some(uplink)) = (mtu, &uplink) {
        check_carried(section, mtu, uplink, sink);
    }
    Some(Vlan { subnet: subnet?, workers: workers?, mtu: mtu?, uplink: uplink? })
}

fn subnet(text: &Placed<String>, sink: &Sink<'_>) -> Option<Ipv4Network> {
    let subnet = network(text, "10.77.0.0/16", sink)?;
    let first = subnet.network();
    if subnet.prefix() > 29 {
        let message = format!("the subnet {subnet} is too small for a front-end and workers");
        sink.error(Code::SubnetTooSmall, &text.span, message, "use a prefix length of at most 29");
        return None;
    }
    if subnet.prefix() < 8 {
        let hint = "use a prefix length of at least 8, for example 10.77.0.0/16";
        sink.error(Code::SubnetTooLarge, &text.span, format!("the subnet {subnet} is too large"), hint);
        return None;
    }
    if first.is_loopback()
        || first.is_link_local()
        || first.is_multicast()
        || first.octets()[0] == 0
        || first.octets()[0] >= 240
    {
        let message = format!("no LAN can have the subnet {subnet}: the range has a meaning of its own");
        sink.error(
            Code::SubnetUnusable,
            &text.span,
            message,
            "use a part of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16",
        );
        return None;
    }
    if !(first.is_private() && subnet.broadcast().is_private()) {
        let message =
            format!("the subnet {subnet} isn't private: its members can't reach the real owners of these addresses");
        sink.warning(
            Code::SubnetPublic,
            &text.span,
            message,
            "use a part of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 (RFC 1918)",
        );
    }
    Some(subnet)
}

fn workers(text: &Placed<String>, subnet: Option<Ipv4Network>, sink: &Sink<'_>) -> Option<Ipv4Network> {
    let range = network(text, "10.77.1.0/24", sink)?;
    let subnet = subnet?;
    let inside = "use a part of the subnet, away from its two ends";
    if range == subnet {
        let message = "the workers' range is the whole subnet; the front-end needs the first address";
        sink.error(Code::WorkersAreSubnet, &text.span, message, inside);
    } else if !(subnet.contains(range.network()) && subnet.contains(range.broadcast())) {
        let message = format!("the workers' range {range} isn't inside the subnet {subnet}");
        sink.error(Code::WorkersOutside, &text.span, message, "every worker's address has to be one of the subnet's");
    } else if range.network() == subnet.network() || range.contains(super::addresses::front_end(subnet)) {
        let message = format!(
            "the workers' range {range} holds {}, the front-end's address",
            super::addresses::front_end(subnet)
        );
        sink.error(Code::WorkersHoldFrontEnd, &text.span, message, inside);
    } else if range.broadcast() == subnet.broadcast() {
        let message =
            format!("the workers' range {range} holds {}, the subnet's broadcast address", subnet.broadcast());
        sink.error(Code::WorkersHoldBroadcast, &text.span, message, inside);
    } else {
        return Some(range);
    }
    None
}

/// Whether every worker that the clouds may have could get an address.
pub(super) fn check_room(document: &Document, sink: &Sink<'_>) {
    let Some(text) = document.vlan.as_ref().and_then(|vlan| vlan.workers.as_ref()) else { return };
    let Ok(range) = text.value.parse::<Ipv4Network>() else { return };
    let clouds = document.host.iter().filter_map(|host| host.ec2.as_ref()?.workers.as_ref());
    let wanted: i64 = clouds.map(|workers| workers.value.clamp(0, 10_000)).sum();
    if i64::from(range.size()) < wanted {
        let message =
            format!("the workers' range {range} has room for {} of the clouds' {wanted} workers", range.size());
        sink.error(
            Code::WorkersTooFew,
            &text.span,
            message,
            "use a shorter prefix length, or lower `workers` of the clouds",
        );
    }
}

fn mtu(number: Option<&Placed<i64>>, sink: &Sink<'_>) -> Option<Mtu> {
    let Some(number) = number else { return Some(Mtu::ETHERNET) };
    let mtu = u32::try_from(number.value).ok().and_then(|bytes| Mtu::new(bytes).ok());
    if mtu.is_none() {
        let message = format!("an MTU of {} bytes is out of range: 576 to 65535", number.value);
        sink.error(Code::MtuOutOfRange, &number.span, message, "1500 is Ethernet's own");
    }
    mtu
}

fn uplink(table: &UplinkTable, sink: &Sink<'_>) -> Option<Uplink> {
    let given = [("vxlan", table.vxlan.is_some()), ("vlan", table.vlan.is_some()), ("port", table.port.is_some())];
    let given: Vec<_> = given.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
    let forms = "one of:\n{ vxlan = { vni = 77 } }\n{ vlan = { id = 77, parent = \"eth1\" } }\n{ port = \"eth1\" }";
    match given.as_slice() {
        [] => sink.error(
            Code::UplinkNone,
            &table.span,
            "nothing says how the bridges are joined",
            format!("write {forms}"),
        ),
        [_] => {}
        several => {
            let message = format!("the bridges can be joined in one way only, not by {}", several.join(" and "));
            sink.error(Code::UplinkSeveral, &table.span, message, format!("keep {forms}"));
        }
    }
    let vxlan = table.vxlan.as_ref().and_then(|vxlan| vxlan_uplink(vxlan, sink));
    let tagged = table.vlan.as_ref().and_then(|tagged| tagged_uplink(tagged, sink));
    let port = table.port.as_ref().and_then(|port| Some(Uplink::Port { nic: nic::check(port, sink)? }));
    vxlan.or(tagged).or(port)
}

fn vxlan_uplink(table: &VxlanTable, sink: &Sink<'_>) -> Option<Uplink> {
    let underlay_mtu = match &table.underlay_mtu {
        Some(number) => Some(mtu(Some(number), sink)?),
        None => None,
    };
    let number = table.vni.as_ref()?;
    let vni = u32::try_from(number.value).ok().and_then(|id| Vni::new(id).ok());
    if vni.is_none() {
        out_of_range(
            Code::VniOutOfRange,
            "VNI",
            number,
            "0 to 16777215",
            "a VXLAN identifier has 24 bits (RFC 7348)",
            sink,
        );
    }
    Some(Uplink::Vxlan { vni: vni?, underlay_mtu })
}

fn tagged_uplink(table: &TaggedTable, sink: &Sink<'_>) -> Option<Uplink> {
    let parent = table.parent.as_ref().and_then(|name| nic::check(name, sink));
    let number = table.id.as_ref()?;
    let id = u16::try_from(number.value).ok().and_then(|id| VlanId::new(id).ok());
    if id.is_none() {
        out_of_range(Code::VlanIdOutOfRange, "VLAN id", number, "1 to 4094", "IEEE 802.1Q keeps 0 and 4095", sink);
    }
    Some(Uplink::Vlan { id: id?, parent: parent? })
}

fn out_of_range(code: Code, what: &str, number: &Placed<i64>, range: &str, hint: &str, sink: &Sink<'_>) {
    sink.error(code, &number.span, format!("{what} {} is out of range: {range}", number.value), hint);
}

/// Whether the uplink can carry a packet of the vLAN's MTU.
fn check_carried(section: &VlanSection, mtu: Mtu, uplink: &Uplink, sink: &Sink<'_>) {
    let span: Span = match (&section.mtu, &section.uplink) {
        (Some(number), _) => number.span.clone(),
        (None, Some(table)) => table.span.clone(),
        (None, None) => return,
    };
    match uplink {
        Uplink::Vxlan { underlay_mtu, .. } => {
            let most = underlay_mtu.map_or(65_535, Mtu::bytes);
            if mtu.bytes() + VXLAN_OVERHEAD > most {
                let message = format!(
                    "the vLAN's MTU of {mtu} doesn't fit: VXLAN adds {VXLAN_OVERHEAD} bytes, and the underlay carries {most}"
                );
                let raise = if underlay_mtu.is_some() { ", or raise the underlay's" } else { "" };
                let hint = format!("use `mtu = {}`{raise}", most - VXLAN_OVERHEAD);
                sink.error(Code::MtuTooLarge, &span, message, hint);
            }
        }
        Uplink::Vlan { .. } | Uplink::Port { .. } if mtu.bytes() > 9000 => {
            let message = format!("few NICs and switches carry frames of {mtu} bytes");
            sink.warning(Code::MtuJumbo, &span, message, "9000 is the usual limit of jumbo frames");
        }
        Uplink::Vlan { .. } | Uplink::Port { .. } => {}
    }
}
