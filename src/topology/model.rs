//! What is in the picture, whichever way it is drawn.

use landbridge_node::wire::Via;

use super::group::{Group, tally};
use crate::view::{ClusterView, HostKind, ServiceState, Tone};

/// Everything that the picture shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// The cluster's name.
    pub cluster: String,
    /// When it was like this, for example `2026-03-14 09:26 UTC`.
    pub moment: String,
    /// The front-end's name.
    pub front_end: String,
    /// The front-end's addresses: on the vLAN, public, underlay.
    pub addresses: [String; 3],
    /// The front-end's bridge.
    pub bridge: String,
    /// What the front-end serves; OpenVPN first.
    pub services: Vec<Service>,
    /// The vLAN's subnet.
    pub subnet: String,
    /// How the bridges are joined, for example `VXLAN 77`.
    pub uplink: String,
    /// The MTU of every port.
    pub mtu: u32,
    /// What hangs on the vLAN below the front-end.
    pub hosts: Vec<Group>,
    /// What reaches the front-end through tunnels.
    pub clouds: Vec<Group>,
    /// How many workers are in which state.
    pub tally: Vec<(Tone, &'static str, usize)>,
}

/// A service of the front-end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// What it serves.
    pub detail: String,
    /// Whether it serves.
    pub state: ServiceState,
}

impl Topology {
    /// The picture of a cluster.
    pub fn of(view: &ClusterView) -> Self {
        let front_end = &view.front_end;
        let (hosts, clouds) = groups(view);
        let tiles = hosts.iter().chain(&clouds).flat_map(|group| &group.workers);
        Self {
            cluster: view.cluster.clone(),
            moment: view.now.strftime("%Y-%m-%d %H:%M UTC").to_string(),
            front_end: front_end.name.clone(),
            addresses: [front_end.address, front_end.public, front_end.underlay].map(|address| address.to_string()),
            bridge: front_end.bridge.clone(),
            services: services(view),
            subnet: view.vlan.subnet.to_string(),
            uplink: view.vlan.uplink.to_string(),
            mtu: view.vlan.mtu,
            tally: tally(tiles),
            hosts,
            clouds,
        }
    }

    /// How many workers there are.
    pub fn workers(&self) -> usize {
        self.tally.iter().map(|(_, _, n)| n).sum()
    }

    /// `private vLAN 10.77.0.0/16 · VXLAN 77 · MTU 1500`.
    pub fn vlan_label(&self) -> String {
        format!("private vLAN {} · {} · MTU {}", self.subnet, self.uplink, self.mtu)
    }
}

fn services(view: &ClusterView) -> Vec<Service> {
    let tunnels = view.front_end.tunnels.iter().map(|tunnel| Service {
        name: "OpenVPN".into(),
        detail: format!("{} {}, {} connected", tunnel.protocol, tunnel.port, tunnel.clients),
        state: tunnel.state,
    });
    let others = view.front_end.services.iter().map(|service| Service {
        name: service.name.clone(),
        detail: service.detail.clone(),
        state: service.state,
    });
    tunnels.chain(others).collect()
}

/// Physical hosts below the vLAN, clouds beside the front-end; machines without a host go where their link goes.
fn groups(view: &ClusterView) -> (Vec<Group>, Vec<Group>) {
    let of_kind = |kind| {
        let hosts = view.hosts.iter().filter(move |host| host.kind == kind);
        hosts.map(|host| Group::of(host, view.workers_on(&host.name))).collect::<Vec<_>>()
    };
    let (mut hosts, mut clouds) = (of_kind(HostKind::Physical), of_kind(HostKind::Cloud));
    let tunnelled = Group::elsewhere(view.workers_elsewhere().filter(|w| w.via == Some(Via::Tunnel)));
    let bridged = Group::elsewhere(view.workers_elsewhere().filter(|w| w.via != Some(Via::Tunnel)));
    clouds.extend(Some(tunnelled).filter(|group| !group.workers.is_empty()));
    hosts.extend(Some(bridged).filter(|group| !group.workers.is_empty()));
    (hosts, clouds)
}
