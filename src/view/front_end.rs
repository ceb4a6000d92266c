//! The front-end and the private LAN as people see them.

use std::fmt;
use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The front-end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontEndView {
    /// Its name on the vLAN.
    pub name: String,
    /// Its address on the vLAN.
    pub address: Ipv4Addr,
    /// Where tunnels and joins arrive.
    pub public: Ipv4Addr,
    /// Its address towards the physical hosts.
    pub underlay: Ipv4Addr,
    /// Its bridge.
    pub bridge: String,
    /// Whether `up` has been done and the fabric is as desired.
    pub up: bool,
    /// When the daemon started.
    pub since: Timestamp,
    /// What it serves.
    pub services: Vec<ServiceView>,
    /// Its OpenVPN servers.
    pub tunnels: Vec<TunnelView>,
}

/// Something that the front-end serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceView {
    /// For example `NFS`.
    pub name: String,
    /// For example `/home`.
    pub detail: String,
    /// Whether it serves.
    pub state: ServiceState,
    /// Why it doesn't, one sentence.
    pub failure: Option<String>,
}

/// Whether a service serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceState {
    /// It serves.
    Up,
    /// It should, and doesn't.
    Down,
}

impl ServiceState {
    /// The word in lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

impl fmt::Display for ServiceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An OpenVPN server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TunnelView {
    /// Its tap.
    pub tap: String,
    /// What carries it: `TCP` or `UDP`.
    pub protocol: String,
    /// Its port.
    pub port: u16,
    /// Whether it runs.
    pub state: ServiceState,
    /// Workers with a live session.
    pub clients: u32,
}

/// The private LAN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VlanView {
    /// All its addresses.
    pub subnet: Ipv4Network,
    /// The workers' range.
    pub workers: Ipv4Network,
    /// The MTU of every port.
    pub mtu: u32,
    /// How the bridges are joined.
    pub uplink: UplinkKind,
    /// Addresses that workers have.
    pub leased: u32,
    /// Addresses that nobody gets for a while.
    pub quarantined: u32,
}

/// How the bridges are joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UplinkKind {
    /// VXLAN with this identifier.
    Vxlan(u32),
    /// An 802.1Q trunk: identifier and NIC.
    Vlan(u16, String),
    /// A whole NIC.
    Port(String),
}

impl fmt::Display for UplinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vxlan(vni) => write!(f, "VXLAN {vni}"),
            Self::Vlan(id, parent) => write!(f, "802.1Q VLAN {id} on {parent}"),
            Self::Port(nic) => write!(f, "port {nic}"),
        }
    }
}
