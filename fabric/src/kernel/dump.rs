//! From the kernel's messages to [`Observed`]: one dump of links, one of addresses, one of FDB entries.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnetwork::Ipv4Network;
use nix::errno::Errno;
use rtnetlink::packet_route::address::{AddressAttribute, AddressMessage};
use rtnetlink::packet_route::link::{
    AfSpecInet, AfSpecUnspec, InfoData, InfoKind, InfoTun, InfoVlan, InfoVxlan, LinkAttribute, LinkExtentMask,
    LinkFlags, LinkInfo, LinkMessage, VlanProtocol,
};
use rtnetlink::packet_route::neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};

use super::request::FLOOD_ADDRESS;
use super::talk::{Request, Talk};
use crate::{InterfaceName, Kind, Link, Observed, Refusal, VlanId, Vni};

/// `IFLA_TUN_TYPE` and `IFLA_TUN_PERSIST`; the first says `IFF_TAP` for a tap.
const TUN_TYPE: u16 = 3;
const TUN_PERSIST: u16 = 6;
const TUN_TYPE_TAP: u8 = 2;

/// How the kernel calls a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) index: u32,
    /// Whether the link keeps a subnet's other addresses when its first one goes (`promote_secondaries`).
    pub(super) promotes: bool,
}

/// What is there, and how the kernel calls it.
pub(super) struct Snapshot {
    pub(super) observed: Observed,
    pub(super) known: BTreeMap<InterfaceName, Known>,
}

/// Names by index, to resolve what messages refer to.
type Names = BTreeMap<u32, InterfaceName>;

/// Looks at everything.
pub(super) async fn observe(talk: &Talk) -> Result<Snapshot, Refusal> {
    let mut ask = LinkMessage::default();
    ask.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
    let links = talk.dump(RouteNetlinkMessage::GetLink(ask)).await?;
    let links: Vec<_> = links.into_iter().filter_map(link_message).collect();
    let mut snapshot = snapshot(&links);
    let names: Names = snapshot.known.iter().map(|(name, known)| (known.index, name.clone())).collect();

    let mut ask = AddressMessage::default();
    ask.header.family = AddressFamily::Inet;
    for message in talk.dump(RouteNetlinkMessage::GetAddress(ask)).await? {
        if let RouteNetlinkMessage::NewAddress(message) = message {
            note_address(&mut snapshot.observed, &names, &message);
        }
    }
    if snapshot.observed.links.values().any(|link| matches!(link.kind, Kind::Vxlan { .. })) {
        let mut ask = NeighbourMessage::default();
        ask.header.family = AddressFamily::Bridge;
        for message in talk.dump(RouteNetlinkMessage::GetNeighbour(ask)).await? {
            if let RouteNetlinkMessage::NewNeighbour(message) = message {
                note_flood(&mut snapshot.observed, &names, &message);
            }
        }
    }
    Ok(snapshot)
}

/// Looks at one link: how the kernel calls it, and its alias.
pub(super) async fn find(talk: &Talk, request: Request) -> Result<(Known, Option<String>), Refusal> {
    let found = told(talk.send(vec![request]).await?);
    found.ok_or_else(|| Refusal::errno(Errno::ENODEV))
}

/// The link that the kernel's answer tells of, if it does.
pub(super) fn told(answers: Vec<RouteNetlinkMessage>) -> Option<(Known, Option<String>)> {
    let message = answers.into_iter().find_map(link_message)?;
    Some((known(&message), alias(&message)))
}

fn link_message(message: RouteNetlinkMessage) -> Option<LinkMessage> {
    match message {
        RouteNetlinkMessage::NewLink(message) => Some(message),
        _ => None,
    }
}

fn snapshot(messages: &[LinkMessage]) -> Snapshot {
    let readable = || messages.iter().filter_map(|message| Some((name(message)?, message)));
    let names: Names = readable().map(|(name, message)| (message.header.index, name)).collect();
    let links = readable().map(|(name, message)| (name, link(message, &names))).collect();
    let known = readable().map(|(name, message)| (name, known(message))).collect();
    Snapshot { observed: Observed { links }, known }
}

fn link(message: &LinkMessage, names: &Names) -> Link {
    let by_index = |index: Option<u32>| index.and_then(|index| names.get(&index)).cloned();
    let mtu = attribute(message, |a| if let LinkAttribute::Mtu(mtu) = a { Some(*mtu) } else { None });
    let controller = attribute(message, |a| if let LinkAttribute::Controller(index) = a { Some(*index) } else { None });
    Link {
        kind: kind(message, names),
        mtu: mtu.unwrap_or_default(),
        up: message.header.flags.contains(LinkFlags::Up),
        controller: by_index(controller),
        addresses: [].into(),
        flood: [].into(),
        alias: alias(message),
    }
}

fn kind(message: &LinkMessage, names: &Names) -> Kind {
    let empty = Vec::new();
    let info = attribute(message, |a| if let LinkAttribute::LinkInfo(info) = a { Some(info) } else { None });
    let info = info.unwrap_or(&empty);
    let word = info.iter().find_map(|i| if let LinkInfo::Kind(kind) = i { Some(kind) } else { None });
    let data = info.iter().find_map(|i| if let LinkInfo::Data(data) = i { Some(data) } else { None });
    let made = match (word, data) {
        (Some(InfoKind::Bridge), _) => Some(Kind::Bridge),
        (Some(InfoKind::Vxlan), Some(InfoData::Vxlan(data))) => vxlan(data),
        (Some(InfoKind::Vlan), Some(InfoData::Vlan(data))) => vlan(data, parent(message, names)),
        (Some(InfoKind::Tun), Some(InfoData::Tun(data))) => tap(data),
        _ => None,
    };
    made.unwrap_or_else(|| Kind::Other {
        name: word.map_or_else(|| "nic".to_owned(), ToString::to_string),
        // A veth's peer is named in the same place, and neither stands on the other.
        parent: if word == Some(&InfoKind::Veth) { None } else { parent(message, names) },
    })
}

/// What the link stands on, unless that is in another namespace, where the index means another link.
fn parent(message: &LinkMessage, names: &Names) -> Option<InterfaceName> {
    let elsewhere = message.attributes.iter().any(|a| matches!(a, LinkAttribute::LinkNetNsId(_)));
    let index = attribute(message, |a| if let LinkAttribute::Link(index) = a { Some(*index) } else { None });
    index.filter(|index| !elsewhere && *index != message.header.index).and_then(|index| names.get(&index)).cloned()
}

fn vxlan(data: &[InfoVxlan]) -> Option<Kind> {
    let (mut vni, mut local, mut port) = (None, None, None);
    for item in data {
        match item {
            InfoVxlan::Id(id) => vni = Vni::new(*id).ok(),
            InfoVxlan::Local(address) => local = Some(*address),
            InfoVxlan::Port(number) => port = Some(*number),
            _ => {}
        }
    }
    Some(Kind::Vxlan { vni: vni?, local, port: port? })
}

fn vlan(data: &[InfoVlan], parent: Option<InterfaceName>) -> Option<Kind> {
    let other = |item: &InfoVlan| matches!(item, InfoVlan::Protocol(protocol) if *protocol != VlanProtocol::Ieee8021Q);
    let id = data.iter().find_map(|item| if let InfoVlan::Id(id) = item { VlanId::new(*id).ok() } else { None });
    id.filter(|_| !data.iter().any(other)).map(|id| Kind::Vlan { id, parent })
}

/// A tap that lasts. One that ends with its program (a virtual machine's, say) is none that we could have made.
fn tap(data: &[InfoTun]) -> Option<Kind> {
    use rtnetlink::packet_core::Nla;
    let byte = |wanted: u16| {
        data.iter().filter(|item| item.kind() == wanted && item.value_len() == 1).find_map(|item| {
            let mut value = [0];
            item.emit_value(&mut value);
            value.first().copied()
        })
    };
    (byte(TUN_TYPE) == Some(TUN_TYPE_TAP) && byte(TUN_PERSIST) == Some(1)).then_some(Kind::Tap)
}

fn note_address(observed: &mut Observed, names: &Names, message: &AddressMessage) {
    let local = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(IpAddr::V4(address)) => Some(*address),
        _ => None,
    });
    let link = names.get(&message.header.index).and_then(|name| observed.links.get_mut(name));
    let address = local.and_then(|local| Ipv4Network::new(local, message.header.prefix_len).ok());
    if let (Some(link), Some(address)) = (link, address) {
        link.addresses.insert(address);
    }
}

/// Flood entries as we make them. One with a port, a VNI or an interface of its own is somebody's special arrangement.
fn note_flood(observed: &mut Observed, names: &Names, message: &NeighbourMessage) {
    let (mut remote, mut flood, mut special) = (None, false, false);
    for attribute in &message.attributes {
        match attribute {
            NeighbourAttribute::LinkLayerAddress(address) => flood = address == &FLOOD_ADDRESS,
            NeighbourAttribute::Destination(address) => remote = ipv4(address),
            NeighbourAttribute::Port(_) | NeighbourAttribute::Vni(_) | NeighbourAttribute::IfIndex(_) => special = true,
            _ => {}
        }
    }
    let own = message.header.flags.contains(NeighbourFlags::Own);
    let link = names.get(&message.header.ifindex).and_then(|name| observed.links.get_mut(name));
    if let (Some(link), Some(remote), true) = (link, remote, flood && own && !special) {
        link.flood.insert(remote);
    }
}

fn ipv4(address: &NeighbourAddress) -> Option<Ipv4Addr> {
    match address {
        NeighbourAddress::Inet(address) => Some(*address),
        // In the bridge family the crate leaves addresses as bytes.
        NeighbourAddress::Other(bytes) => <[u8; 4]>::try_from(bytes.as_slice()).ok().map(Ipv4Addr::from),
        _ => None,
    }
}

fn name(message: &LinkMessage) -> Option<InterfaceName> {
    attribute(message, |a| if let LinkAttribute::IfName(name) = a { InterfaceName::new(name).ok() } else { None })
}

fn alias(message: &LinkMessage) -> Option<String> {
    attribute(message, |a| if let LinkAttribute::IfAlias(alias) = a { Some(alias.clone()) } else { None })
}

fn known(message: &LinkMessage) -> Known {
    let inet = |spec: &AfSpecUnspec| match spec {
        AfSpecUnspec::Inet(specs) => specs.iter().find_map(|spec| match spec {
            AfSpecInet::DevConf(conf) => Some(conf.promote_secondaries != 0),
            _ => None,
        }),
        _ => None,
    };
    let promotes = attribute(message, |a| match a {
        LinkAttribute::AfSpecUnspec(specs) => specs.iter().find_map(inet),
        _ => None,
    });
    Known { index: message.header.index, promotes: promotes.unwrap_or_default() }
}

fn attribute<'a, T>(message: &'a LinkMessage, select: impl Fn(&'a LinkAttribute) -> Option<T>) -> Option<T> {
    message.attributes.iter().find_map(select)
}
