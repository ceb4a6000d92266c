//! The cluster, validated: every value of these types is consistent with all others.

use std::fmt;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use ipnetwork::Ipv4Network;
use landbridge_fabric::{InterfaceName, Mtu, Owner, VlanId, Vni};
use landbridge_pki::NodeName;
use serde::{Deserialize, Serialize};

/// The cluster's name: 1 to 10 bytes of `[a-z0-9-]`, so that every interface name fits in 15.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClusterName(String);

impl ClusterName {
    /// The longest name in bytes.
    pub const MAX_LEN: usize = InterfaceName::MAX_LEN - crate::naming::PREFIX_LEN;

    /// Checks the rule.
    pub fn new(name: impl Into<String>) -> Result<Self, ClusterNameError> {
        let name = name.into();
        match NodeName::new(name.as_str()) {
            Ok(_) if name.len() <= Self::MAX_LEN => Ok(Self(name)),
            _ => Err(ClusterNameError(name)),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag on everything that we make for this cluster.
    pub fn owner(&self) -> Owner {
        Owner(self.0.clone())
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for ClusterName {
    type Error = ClusterNameError;

    fn try_from(name: String) -> Result<Self, ClusterNameError> {
        Self::new(name)
    }
}

impl From<ClusterName> for String {
    fn from(name: ClusterName) -> Self {
        name.0
    }
}

/// A text that is no cluster name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no cluster name: use 1 to 10 lower-case letters, digits and inner hyphens")]
pub struct ClusterNameError(pub String);

/// A whole cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its name.
    pub name: ClusterName,
    /// The private LAN.
    pub vlan: Vlan,
    /// The front-end.
    pub front_end: FrontEnd,
    /// How workers outside reach the vLAN.
    pub tunnel: Tunnels,
    /// What the front-end serves.
    pub services: Services,
    /// Physical hosts and clouds, in the file's order, names unique.
    pub hosts: Vec<Host>,
}

impl Cluster {
    /// The largest packet that a worker and the front-end may exchange through a tunnel where the path was proved to
    /// carry it; `None`: no more than the vLAN's own. Over UDP alone it has to be asked for: there it travels as fragments, and
    /// each that is lost leaves the others to fill the receiver's memory for half a minute.
    pub fn wide(&self) -> Option<Mtu> {
        let unasked = || Mtu::new(Tunnels::MOST_MTU).ok().filter(|_| self.tunnel.transport != Transport::Udp);
        self.tunnel.mtu.or_else(unasked).filter(|wide| *wide > self.vlan.mtu)
    }
}

/// The private LAN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vlan {
    /// All its addresses; the address part is the network's own.
    pub subnet: Ipv4Network,
    /// Leased to workers: inside `subnet`, without its first, network and broadcast addresses.
    pub workers: Ipv4Network,
    /// The MTU of every port.
    pub mtu: Mtu,
    /// How the bridges are joined.
    pub uplink: Uplink,
}

impl Vlan {
    /// The front-end's address with the subnet's prefix length: the first of the subnet.
    pub fn front_end(&self) -> Ipv4Network {
        let first = Ipv4Addr::from(u32::from(self.subnet.network()) + 1);
        Ipv4Network::new(first, self.subnet.prefix()).expect("a prefix length from a network")
    }
}

/// How the bridges of the front-end and of the physical hosts are joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uplink {
    /// VXLAN over the underlay, UDP port 4789.
    Vxlan {
        /// The network's identifier.
        vni: Vni,
        /// The underlay's MTU, when told; a vLAN packet needs 50 bytes more.
        underlay_mtu: Option<Mtu>,
    },
    /// A tagged sub-interface of a NIC that every member has.
    Vlan {
        /// The VLAN's identifier.
        id: VlanId,
        /// The NIC.
        parent: InterfaceName,
    },
    /// A whole NIC of every member.
    Port {
        /// The NIC.
        nic: InterfaceName,
    },
}

/// The front-end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontEnd {
    /// Its name on the vLAN; the host name of the queue master.
    pub name: NodeName,
    /// Where tunnels and joins arrive.
    pub public: Ipv4Addr,
    /// Its address towards the physical hosts.
    pub underlay: Ipv4Addr,
    /// The API's TCP port.
    pub api_port: u16,
    /// OpenVPN's first port, TCP and UDP; each further server process has the next.
    pub tunnel_port: u16,
}

/// How workers outside reach the vLAN. The default is what measures best and works on most paths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tunnels {
    /// What carries the tunnels.
    pub transport: Transport,
    /// How many server processes carry workers; `None`: as many as the front-end has processors, at most
    /// [`Tunnels::MOST_SERVERS`].
    pub servers: Option<u8>,
    /// The largest packet between a worker and the front-end through a tunnel; `None`: [`Cluster::wide`] decides.
    pub mtu: Option<Mtu>,
}

impl Tunnels {
    /// The most server processes that carry workers: each has a tap, whose name has one digit, and one more may stand by.
    pub const MOST_SERVERS: u8 = 9;

    /// The largest packet that a tunnel can carry, in bytes: over UDP it must fit, encapsulated, into one datagram.
    pub const MOST_MTU: u32 = 60_000;
}

/// What carries the tunnels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// TCP, and UDP for workers that TCP doesn't let through.
    #[default]
    Auto,
    /// UDP alone.
    Udp,
    /// TCP alone.
    Tcp,
}

impl Transport {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }

    /// The transport that a word of the file means.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Auto, Self::Udp, Self::Tcp].into_iter().find(|transport| transport.as_str() == word)
    }
}

/// What the front-end serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Services {
    /// NFS, when wanted.
    pub nfs: Option<Nfs>,
    /// NIS, when wanted.
    pub nis: Option<Nis>,
    /// The queue.
    pub scheduler: SchedulerKind,
}

/// NFS exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nfs {
    /// Absolute paths, none inside another.
    pub exports: Vec<PathBuf>,
}

/// The NIS domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nis {
    /// The domain's name: no white space, at most 64 bytes.
    pub domain: String,
}

/// Which queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchedulerKind {
    /// Grid Engine.
    Sge,
    /// Slurm.
    Slurm,
    /// None.
    None,
}

/// A place where workers run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name, unique in the cluster.
    pub name: NodeName,
    /// What it is.
    pub kind: HostKind,
}

/// What a host is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostKind {
    /// A machine of the laboratory.
    Physical(PhysicalHost),
    /// A cloud: a host of a fixed size.
    Cloud(Cloud),
}

/// A machine of the laboratory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhysicalHost {
    /// Its address towards the other members.
    pub underlay: Ipv4Addr,
    /// What makes machines there, when workers are to be booted there.
    pub hypervisor: Option<Hypervisor>,
    /// Processors for workers.
    pub cpus: u32,
    /// Memory for workers in MiB.
    pub memory_mib: u64,
}

/// What makes machines on a physical host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hypervisor {
    /// Libvirt, by its URI.
    Libvirt(String),
    /// A program on the front-end, by its absolute path: for hypervisors that libvirt doesn't know.
    Driver(PathBuf),
}

/// A cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// For example `us-east-1`.
    pub region: String,
    /// For example `m1.small`.
    pub instance_type: String,
    /// At most this many workers.
    pub workers: u32,
    /// The URL of another cloud that speaks EC2's API.
    pub endpoint: Option<String>,
    /// Processors of one machine; `None`: what the cloud says of the instance type.
    pub cpus: Option<u32>,
    /// Memory of one machine in MiB; `None`: what the cloud says of the instance type.
    pub memory_mib: Option<u64>,
    /// The id of the subnet of the machines, `subnet-…`; `None`: the region's default.
    pub subnet: Option<String>,
    /// Whether machines are asked for on the spot market, whatever their template says.
    pub spot: bool,
}
