//! The messages by which links are looked up and changed. Pure: they are only built here.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;
use rtnetlink::AddressMessageBuilder;
use rtnetlink::packet_core::{DefaultNla, NLM_F_APPEND, NLM_F_CREATE, NLM_F_ECHO, NLM_F_EXCL};
use rtnetlink::packet_route::link::{
    AfSpecInet, AfSpecUnspec, InfoData, InfoKind, InfoVlan, InfoVxlan, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use rtnetlink::packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};

use super::talk::Request;
use crate::{InterfaceName, Kind, Link};

/// The FDB's entry for frames whose receiver isn't known, and for broadcasts.
pub(super) const FLOOD_ADDRESS: [u8; 6] = [0; 6];

/// `IFLA_INET_CONF`, and within it `IPV4_DEVCONF_PROMOTE_SECONDARIES`.
const INET_CONF: u16 = 1;
const PROMOTE_SECONDARIES: u16 = 20;

pub(super) fn get_link_by_name(name: &InterfaceName) -> Request {
    let message = with(0, [LinkAttribute::IfName(name.to_string())]);
    Request { message: RouteNetlinkMessage::GetLink(message), flags: 0 }
}

pub(super) fn get_link_by_index(index: u32) -> Request {
    Request { message: RouteNetlinkMessage::GetLink(with(index, [])), flags: 0 }
}

/// A bare link of the right kind: neither up nor tagged yet. The kernel takes no alias in this request; from Linux 6.2 on
/// it answers with the link.
pub(super) fn new_link(name: &InterfaceName, link: &Link, parent: Option<u32>) -> Request {
    let (kind, data) = match &link.kind {
        Kind::Vxlan { vni, local, port } => {
            let mut data = vec![InfoVxlan::Id(vni.get()), InfoVxlan::Port(*port)];
            data.extend(local.map(InfoVxlan::Local));
            (InfoKind::Vxlan, Some(InfoData::Vxlan(data)))
        }
        Kind::Vlan { id, .. } => (InfoKind::Vlan, Some(InfoData::Vlan(vec![InfoVlan::Id(id.get())]))),
        Kind::Bridge => (InfoKind::Bridge, None),
        Kind::Tap => (InfoKind::Tun, None),
        Kind::Other { name, .. } => (InfoKind::Other(name.clone()), None),
    };
    let mut message = with(0, [LinkAttribute::IfName(name.to_string())]);
    message.attributes.extend(parent.map(LinkAttribute::Link));
    if kind == InfoKind::Bridge {
        // A bridge stops following its smallest port when its MTU is *changed*; so it begins with another one. And its
        // hardware address would follow its ports too, and every peer's ARP entry break with each worker.
        message.attributes.push(LinkAttribute::Mtu(link.mtu ^ 1));
        message.attributes.push(LinkAttribute::Address(hardware_address()));
    }
    let info = std::iter::once(LinkInfo::Kind(kind)).chain(data.map(LinkInfo::Data));
    message.attributes.push(LinkAttribute::LinkInfo(info.collect()));
    Request { message: RouteNetlinkMessage::NewLink(message), flags: NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO }
}

pub(super) fn del_link(index: u32) -> Request {
    Request { message: RouteNetlinkMessage::DelLink(with(index, [])), flags: 0 }
}

pub(super) fn set_alias(index: u32, alias: &str) -> Request {
    set(with(index, [LinkAttribute::IfAlias(alias.to_owned())]))
}

pub(super) fn set_mtu(index: u32, mtu: u32) -> Request {
    set(with(index, [LinkAttribute::Mtu(mtu)]))
}

/// `controller` 0 detaches.
pub(super) fn set_controller(index: u32, controller: u32) -> Request {
    set(with(index, [LinkAttribute::Controller(controller)]))
}

pub(super) fn set_up(index: u32, up: bool) -> Request {
    let mut message = with(index, []);
    message.header.flags = if up { LinkFlags::Up } else { LinkFlags::empty() };
    message.header.change_mask = LinkFlags::Up;
    set(message)
}

pub(super) fn add_address(index: u32, address: Ipv4Network) -> Request {
    let message = address_message(index, address);
    Request { message: RouteNetlinkMessage::NewAddress(message), flags: NLM_F_CREATE | NLM_F_EXCL }
}

/// With a subnet's first address the kernel removes all others of it, unless told to promote the next. `promotes` says
/// whether the link does so anyway, and is put back after.
pub(super) fn remove_address(index: u32, address: Ipv4Network, promotes: bool) -> Vec<Request> {
    let message = RouteNetlinkMessage::DelAddress(address_message(index, address));
    let remove = Request { message, flags: 0 };
    if promotes {
        return vec![remove];
    }
    vec![set_promoting(index, true), remove, set_promoting(index, false)]
}

/// One more remote for the flood entry: created with the first, appended to with the others.
pub(super) fn add_flood(index: u32, remote: Ipv4Addr) -> Request {
    let message = RouteNetlinkMessage::NewNeighbour(flood_message(index, remote));
    Request { message, flags: NLM_F_CREATE | NLM_F_APPEND }
}

pub(super) fn remove_flood(index: u32, remote: Ipv4Addr) -> Request {
    Request { message: RouteNetlinkMessage::DelNeighbour(flood_message(index, remote)), flags: 0 }
}

/// A neighbour that is likely to be there, unless something is known of it.
pub(super) fn add_neighbour(index: u32, peer: Ipv4Addr, mac: [u8; 6]) -> Request {
    let mut message = NeighbourMessage::default();
    message.header.family = AddressFamily::Inet;
    message.header.ifindex = index;
    message.header.state = NeighbourState::Stale;
    message.attributes.push(NeighbourAttribute::Destination(NeighbourAddress::Inet(peer)));
    message.attributes.push(NeighbourAttribute::LinkLayerAddress(mac.to_vec()));
    Request { message: RouteNetlinkMessage::NewNeighbour(message), flags: NLM_F_CREATE | NLM_F_EXCL }
}

fn with(index: u32, attributes: impl IntoIterator<Item = LinkAttribute>) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message.attributes.extend(attributes);
    message
}

fn set(message: LinkMessage) -> Request {
    Request { message: RouteNetlinkMessage::SetLink(message), flags: 0 }
}

fn set_promoting(index: u32, promote: bool) -> Request {
    // A nested attribute by hand: the crate's own type leaves out zeros, and a zero is wanted.
    let value = u32::from(promote).to_ne_bytes();
    let nested = [8_u16.to_ne_bytes(), PROMOTE_SECONDARIES.to_ne_bytes(), [value[0], value[1]], [value[2], value[3]]];
    let conf = AfSpecInet::Other(DefaultNla::new(INET_CONF, nested.concat()));
    set(with(index, [LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet(vec![conf])])]))
}

fn address_message(index: u32, address: Ipv4Network) -> rtnetlink::packet_route::address::AddressMessage {
    AddressMessageBuilder::<Ipv4Addr>::new().index(index).address(address.ip(), address.prefix()).build()
}

fn flood_message(index: u32, remote: Ipv4Addr) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    message.header.family = AddressFamily::Bridge;
    message.header.ifindex = index;
    message.header.state = NeighbourState::Permanent;
    message.header.flags = NeighbourFlags::Own;
    message.attributes.push(NeighbourAttribute::LinkLayerAddress(FLOOD_ADDRESS.to_vec()));
    message.attributes.push(NeighbourAttribute::Destination(NeighbourAddress::Inet(remote)));
    message
}

/// A random one, of the locally administered kind, and no group's.
fn hardware_address() -> Vec<u8> {
    let bits = RandomState::new().build_hasher().finish().to_ne_bytes();
    [&[bits[0] & 0xfc | 0x02], &bits[1..6]].concat()
}
