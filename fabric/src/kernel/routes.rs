//! Routes to single hosts on a link, which say what the path to each carries, and where on it such a host is.
//!
//! They are no part of a plan: what a path carries is found out anew all the time, and each of them goes with its link. A
//! routing protocol of our own ([`PROTOCOL`]) marks them as ours, and a metric of our own lets a person's route to the same
//! host stand beside them, and win.

use std::collections::BTreeSet;
use std::io;
use std::net::Ipv4Addr;

use nix::errno::Errno;
use rtnetlink::packet_core::{NLM_F_CREATE, NLM_F_REPLACE};
use rtnetlink::packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteMetric, RouteProtocol, RouteScope, RouteType,
};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};

use super::dump;
use super::request;
use super::talk::{Request, Talk};
use crate::{BackendError, InterfaceName, Mtu, Refusal};

/// Who made the routes, in the kernel's `rtm_protocol`: no routing daemon that iproute2 knows has this number.
const PROTOCOL: u8 = 76;

/// Beside other routes to the same host, which have none and win.
const METRIC: u32 = 76;

/// What an IPv4 and a TCP header take of a packet.
const HEADERS: u32 = 40;

/// A route to one host on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostRoute {
    /// The host.
    pub peer: Ipv4Addr,
    /// The only type of service that it is for, if it isn't for all (`0`): the kernel prefers such a route for packets
    /// that bear it.
    pub tos: u8,
    /// The largest packet that is sent. It may be larger than the link's own MTU, which says what *every* host takes.
    pub mtu: Mtu,
    /// The largest packet that TCP offers to receive.
    pub offered: Mtu,
}

/// The kernel's routing table, of the namespace that the opening thread was in.
#[derive(Debug)]
pub struct HostRoutes {
    talk: Talk,
}

impl HostRoutes {
    /// Opens a socket. It is served by a task of the running tokio runtime.
    pub fn open() -> io::Result<Self> {
        Ok(Self { talk: Talk::open()? })
    }

    /// Makes the route, or changes it when there is one of ours for the same host and type of service.
    pub async fn set(&self, device: &InterfaceName, route: HostRoute) -> Result<(), BackendError> {
        let failed = |cause| BackendError::on(format!("set the route to {} on", route.peer), device, cause);
        let message = message(self.index(device).await.map_err(failed)?, route);
        let request = Request { message: RouteNetlinkMessage::NewRoute(message), flags: NLM_F_CREATE | NLM_F_REPLACE };
        self.talk.send(vec![request]).await.map(drop).map_err(failed)
    }

    /// Removes every route of ours to the host on the link.
    pub async fn remove(&self, device: &InterfaceName, peer: Ipv4Addr) -> Result<(), BackendError> {
        let failed = |cause| BackendError::on(format!("remove the route to {peer} on"), device, cause);
        let index = self.index(device).await.map_err(failed)?;
        for message in self.ours(index).await.map_err(failed)? {
            if destination(&message) == Some(peer) {
                let request = Request { message: RouteNetlinkMessage::DelRoute(message), flags: 0 };
                self.talk.send(vec![request]).await.map_err(failed)?;
            }
        }
        Ok(())
    }

    /// The hosts that have a route of ours on the link.
    pub async fn peers(&self, device: &InterfaceName) -> Result<BTreeSet<Ipv4Addr>, BackendError> {
        let failed = |cause| BackendError::on("list the routes on", device, cause);
        let index = self.index(device).await.map_err(failed)?;
        Ok(self.ours(index).await.map_err(failed)?.iter().filter_map(destination).collect())
    }

    /// Tells the kernel where on the link a host is likely to be. It believes that for a first packet, which need not wait for an
    /// answer to who has the address, and asks behind it (`NUD_STALE`; RFC 4861, section 7.3.2, has the same state). What it knows
    /// already stays.
    pub async fn introduce(&self, device: &InterfaceName, peer: Ipv4Addr, mac: [u8; 6]) -> Result<(), BackendError> {
        let failed = |cause| BackendError::on(format!("introduce {peer} on"), device, cause);
        let index = self.index(device).await.map_err(failed)?;
        match self.talk.send(vec![request::add_neighbour(index, peer, mac)]).await {
            Ok(_) => Ok(()),
            Err(Refusal::Kernel { errno, .. }) if errno == Errno::EEXIST as i32 => Ok(()),
            Err(refusal) => Err(failed(refusal)),
        }
    }

    async fn ours(&self, index: u32) -> Result<Vec<RouteMessage>, Refusal> {
        let mut ask = RouteMessage::default();
        ask.header.address_family = AddressFamily::Inet;
        let all = self.talk.dump(RouteNetlinkMessage::GetRoute(ask)).await?;
        let ours = |message: &RouteMessage| {
            message.header.protocol == RouteProtocol::Other(PROTOCOL)
                && message.header.destination_prefix_length == 32
                && message.attributes.contains(&RouteAttribute::Oif(index))
        };
        let routes = all.into_iter().filter_map(|message| match message {
            RouteNetlinkMessage::NewRoute(route) => Some(route),
            _ => None,
        });
        Ok(routes.filter(ours).collect())
    }

    async fn index(&self, device: &InterfaceName) -> Result<u32, Refusal> {
        Ok(dump::find(&self.talk, request::get_link_by_name(device)).await?.0.index)
    }
}

fn message(index: u32, route: HostRoute) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet;
    message.header.destination_prefix_length = 32;
    message.header.tos = route.tos;
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::Other(PROTOCOL);
    message.header.scope = RouteScope::Link;
    message.header.kind = RouteType::Unicast;
    message.attributes.extend([
        RouteAttribute::Destination(RouteAddress::Inet(route.peer)),
        RouteAttribute::Oif(index),
        RouteAttribute::Priority(METRIC),
        RouteAttribute::Metrics(vec![
            RouteMetric::Mtu(route.mtu.bytes()),
            RouteMetric::Advmss(route.offered.bytes() - HEADERS),
        ]),
    ]);
    message
}

fn destination(message: &RouteMessage) -> Option<Ipv4Addr> {
    message.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Destination(RouteAddress::Inet(address)) => Some(*address),
        _ => None,
    })
}
