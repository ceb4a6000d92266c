//! `[tunnel]`: transport, server processes, and the ports that they take.

use landbridge_fabric::Mtu;

use crate::reading::{Placed, Sink};
use crate::spec::document::{Document, TunnelSection};
use crate::spec::{Code, TUNNEL_PORT, Transport, Tunnels, VXLAN_PORT};

use super::front_end::TCP_TAKEN;

/// The section by itself; a file without it means the defaults.
pub(super) fn check(section: Option<&TunnelSection>, sink: &Sink<'_>) -> Option<Tunnels> {
    let Some(section) = section else { return Some(Tunnels::default()) };
    let transport = match &section.transport {
        Some(word) => transport(word, sink),
        None => Some(Transport::default()),
    };
    let servers = match &section.servers {
        Some(number) => servers(number, sink).map(Some),
        None => Some(None),
    };
    let mtu = match &section.mtu {
        Some(number) => mtu(number, sink).map(Some),
        None => Some(None),
    };
    Some(Tunnels { transport: transport?, servers: servers?, mtu: mtu? })
}

fn transport(word: &Placed<String>, sink: &Sink<'_>) -> Option<Transport> {
    let transport = Transport::from_word(&word.value);
    if transport.is_none() {
        let message = format!("there is no transport {:?}", word.value);
        sink.error(Code::TransportUnknown, &word.span, message, "use \"auto\", \"udp\" or \"tcp\"");
    }
    transport
}

fn servers(number: &Placed<i64>, sink: &Sink<'_>) -> Option<u8> {
    let most = Tunnels::MOST_SERVERS;
    let servers = u8::try_from(number.value).ok().filter(|n| (1..=most).contains(n));
    if servers.is_none() {
        let message = format!("{} server processes are out of range: 1 to {most}", number.value);
        let hint = "one for each processor of the front-end is enough: leave it out";
        sink.error(Code::ServersOutOfRange, &number.span, message, hint);
    }
    servers
}

fn mtu(number: &Placed<i64>, sink: &Sink<'_>) -> Option<Mtu> {
    let most = Tunnels::MOST_MTU;
    let mtu = u32::try_from(number.value).ok().filter(|bytes| *bytes <= most).and_then(|bytes| Mtu::new(bytes).ok());
    if mtu.is_none() {
        let message = format!("packets of {} bytes through a tunnel are out of range: 576 to {most}", number.value);
        sink.error(Code::MtuOutOfRange, &number.span, message, "leave it out, or use the vLAN's for no larger ones");
    }
    mtu
}

/// The ports of every server process against the other services'. Without a number of processes only the first is looked
/// at: how many processors the front-end has stands in no file.
pub(super) fn check_ports(document: &Document, api: i64, sink: &Sink<'_>) {
    let Some(front_end) = &document.front_end else { return };
    let section = document.tunnel.as_ref();
    let transport = section.and_then(|s| Transport::from_word(&s.transport.as_ref()?.value)).unwrap_or_default();
    let servers = section.and_then(|s| s.servers.as_ref()).map_or(1, |n| n.value.clamp(1, 9));
    let first = front_end.tunnel_port.as_ref().map_or(i64::from(TUNNEL_PORT), |port| port.value);
    let place = front_end.tunnel_port.as_ref().or(front_end.api_port.as_ref()).map(|port| &port.span);
    let Some(place) = place.or(section.and_then(|s| s.servers.as_ref()).map(|n| &n.span)) else { return };
    let vxlan = document.vlan.as_ref().is_some_and(|vlan| vlan.uplink.as_ref().is_some_and(|u| u.vxlan.is_some()));
    let udp = [(111, "rpcbind"), (if vxlan { i64::from(VXLAN_PORT) } else { -1 }, "VXLAN")];
    let tcp = TCP_TAKEN.iter().map(|(port, service)| (i64::from(*port), *service)).chain([(api, "the API")]);
    let tcp: Vec<_> = if transport == Transport::Udp { Vec::new() } else { tcp.collect() };
    let udp_servers = match transport {
        Transport::Auto => 1,
        Transport::Udp => servers,
        Transport::Tcp => 0,
    };
    let clash = |taken: &[(i64, &'static str)], servers: i64, protocol: &'static str| {
        taken
            .iter()
            .find(|(port, _)| (first..first + servers).contains(port))
            .map(|(p, service)| (*p, *service, protocol))
    };
    if let Some((port, service, protocol)) = clash(&udp, udp_servers, "UDP").or_else(|| clash(&tcp, servers, "TCP")) {
        let message = format!("{protocol} port {port} belongs to {service} on the front-end");
        let hint = format!("the tunnels take {servers} from `tunnel-port` on; OpenVPN's own is {TUNNEL_PORT}");
        sink.error(Code::PortTaken, place, message, hint);
    } else if first + servers > 65_536 {
        let message = format!("{servers} server processes from port {first} on would go beyond 65535");
        sink.error(Code::PortOutOfRange, place, message, format!("OpenVPN's own port is {TUNNEL_PORT}"));
    }
}
