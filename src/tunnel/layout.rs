//! Which server processes there are, and in what order a worker knocks at them.

use std::net::Ipv4Addr;
use std::num::NonZero;

use landbridge_fabric::InterfaceName;

use crate::naming;
use crate::spec::{Cluster, Transport, Tunnels};

/// What carries one server process's tunnels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
}

impl Protocol {
    /// As people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        }
    }
}

/// A server process. It shares the keys and the directories of admitted and revoked workers with all others, so that it
/// makes no difference which one takes a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its number, 0 to 9: in the names of its tap, its files and its log.
    pub n: u8,
    /// What carries its tunnels.
    pub protocol: Protocol,
    /// Where it listens. TCP and UDP count from `tunnel-port` each.
    pub port: u16,
}

impl Server {
    /// Its tap, a port of the vLAN's bridge.
    pub fn tap(&self, cluster: &Cluster) -> InterfaceName {
        naming::server_tap(self.n, &cluster.name)
    }
}

/// The front-end's server processes. OpenVPN has one thread, and encrypting is what it does: so there are as many as
/// processors, unless the file says otherwise. UDP beside TCP is for the few that TCP doesn't let through: one process.
pub fn servers(cluster: &Cluster) -> Vec<Server> {
    layout(cluster, std::thread::available_parallelism().map_or(1, NonZero::get))
}

fn layout(cluster: &Cluster, processors: usize) -> Vec<Server> {
    let by_processors = || u8::try_from(processors).unwrap_or(u8::MAX).clamp(1, Tunnels::MOST_SERVERS);
    let servers = cluster.tunnel.servers.unwrap_or_else(by_processors);
    let (tcp, udp) = match cluster.tunnel.transport {
        Transport::Auto => (servers, 1),
        Transport::Tcp => (servers, 0),
        Transport::Udp => (0, servers),
    };
    let numbered = |count, protocol| (0..count).map(move |nth| (nth, protocol));
    let all = numbered(tcp, Protocol::Tcp).chain(numbered(udp, Protocol::Udp));
    let port = |nth: u8| cluster.front_end.tunnel_port.saturating_add(u16::from(nth));
    (0..).zip(all).map(|(n, (nth, protocol))| Server { n, protocol, port: port(nth) }).collect()
}

/// How many servers of its transport a worker knocks at before it turns to the other one: enough for one that is down,
/// and few enough to get to UDP in time where TCP is swallowed.
const TRIED: usize = 2;

/// The servers in the order in which the worker with this address knocks at them: workers begin at different ones,
/// and UDP that stands by comes last.
pub(super) fn order(servers: &[Server], address: Ipv4Addr) -> Vec<Server> {
    let (tcp, udp): (Vec<_>, Vec<_>) = servers.iter().partition(|server| server.protocol == Protocol::Tcp);
    let from = |all: &[Server]| {
        let begin = u32::from(address) as usize % all.len().max(1);
        all.iter().cycle().skip(begin).take(all.len()).copied().collect::<Vec<_>>()
    };
    if tcp.is_empty() {
        return from(&udp);
    }
    if udp.is_empty() {
        return from(&tcp);
    }
    // A single one is knocked at twice, too: a connection that broke is no reason yet to leave TCP.
    from(&tcp).into_iter().cycle().take(TRIED).chain(udp).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tunnel::fixture;

    fn shown(transport: Transport, servers: Option<u8>, processors: usize) -> String {
        let mut cluster = fixture::cluster();
        cluster.tunnel = Tunnels { transport, servers, mtu: None };
        let all = layout(&cluster, processors);
        let each = all.iter().map(|s| format!("{} {} {}", s.tap(&cluster), s.protocol.as_str(), s.port));
        each.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn there_is_a_server_for_each_processor_and_one_that_stands_by() {
        insta::assert_snapshot!(shown(Transport::Auto, None, 2), @"lbt0-ursa TCP 1194, lbt1-ursa TCP 1195, lbt2-ursa UDP 1194");
        assert_eq!(shown(Transport::Tcp, None, 200).matches("TCP").count(), 9);
    }

    #[test]
    fn the_file_may_say_otherwise() {
        insta::assert_snapshot!(shown(Transport::Udp, Some(2), 64), @"lbt0-ursa UDP 1194, lbt1-ursa UDP 1195");
        assert!(shown(Transport::Auto, Some(9), 1).ends_with("lbt9-ursa UDP 1194"), "ten taps at most");
    }

    #[test]
    fn workers_begin_at_different_servers_and_end_at_the_one_that_stands_by() {
        let mut cluster = fixture::cluster();
        cluster.tunnel.servers = Some(3);
        let servers = layout(&cluster, 1);
        let ports = |last| {
            let order = order(&servers, Ipv4Addr::new(10, 77, 1, last));
            order.iter().map(|s| format!("{}{}", s.protocol.as_str(), s.port)).collect::<Vec<_>>().join(" ")
        };
        let all: std::collections::BTreeSet<_> = (1..=9).map(ports).collect();
        let all: Vec<_> = all.into_iter().collect();
        insta::assert_snapshot!(all.join("\n"), @r"
        TCP1194 TCP1195 UDP1194
        TCP1195 TCP1196 UDP1194
        TCP1196 TCP1194 UDP1194
        ");
    }
}
