//! Everything that a worker needs to become part of the cluster. No private key is ever in it.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use ipnetwork::Ipv4Network;
use landbridge_fabric::Mtu;
use landbridge_pki::NodeName;
use serde::{Deserialize, Serialize};

/// A worker's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// The worker's address on the vLAN, with the vLAN's prefix length.
    pub address: Ipv4Network,
    /// The front-end's name and address on the vLAN.
    pub front_end: HostEntry,
    /// The vLAN's MTU.
    pub mtu: Mtu,
    /// How it reaches the vLAN.
    pub link: LinkBundle,
    /// What to mount; `None` when the cluster has no NFS.
    pub nfs: Option<NfsBundle>,
    /// What to bind to; `None` when the cluster has no NIS.
    pub nis: Option<NisBundle>,
    /// The queue to serve; `None` when the cluster has none.
    pub queue: Option<QueueBundle>,
}

/// One line of `/etc/hosts`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HostEntry {
    /// The machine's name.
    pub name: NodeName,
    /// Its address on the vLAN.
    pub address: Ipv4Addr,
}

/// How the worker reaches the vLAN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkBundle {
    /// OpenVPN: its configuration for a stock `openvpn`, complete but for the private key, which the worker adds as
    /// an inline `<key>` block. The tap's name stands in it too.
    Tunnel {
        /// The configuration's text.
        config: String,
        /// The tap that `openvpn` makes.
        device: landbridge_fabric::InterfaceName,
        /// The largest packet for the front-end that the tunnel may carry; `None`: the vLAN's MTU.
        #[serde(default)]
        wide: Option<Mtu>,
        /// The front-end's hardware address on the vLAN now, so that the first packet need not wait for it; `None`: it is asked for.
        #[serde(default)]
        mac: Option<[u8; 6]>,
    },
    /// A NIC on a bridge; the worker knows which (`--dev`, else its only Ethernet NIC without an address).
    Bridge,
}

/// NFS v4.2 mounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NfsBundle {
    /// The server's address on the vLAN.
    pub server: Ipv4Addr,
    /// Exported paths, each mounted at the same path.
    pub exports: Vec<PathBuf>,
    /// Of them, the one that the server shows as the root of all that it has; `None`: each is there at its own path.
    #[serde(default)]
    pub root: Option<PathBuf>,
    /// Mount options, for example `vers=4.2,hard`.
    pub options: String,
}

impl NfsBundle {
    /// Where the server has an export, as mount(8) is told: `10.77.0.1:/home`.
    pub fn source(&self, export: &Path) -> String {
        self.at(if self.root.as_deref() == Some(export) { Path::new("/") } else { export })
    }

    /// Where the server may have had it before: as its root, or at its own path.
    pub fn other_source(&self, export: &Path) -> String {
        self.at(if self.root.as_deref() == Some(export) { export } else { Path::new("/") })
    }

    fn at(&self, path: &Path) -> String {
        format!("{}:{}", self.server, path.display())
    }
}

/// The NIS domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NisBundle {
    /// The domain's name.
    pub domain: String,
    /// The server's address on the vLAN.
    pub server: Ipv4Addr,
    /// The domain's people, for the worker's own table; `None`: it asks the server for each of them.
    #[serde(default)]
    pub people: Option<People>,
}

/// Users and their groups, as passwd(5) and group(5) have them; no password is among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// A line a user.
    pub passwd: String,
    /// A line a group.
    pub group: String,
}

/// The queue that the worker serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueBundle {
    /// Grid Engine.
    Sge(SgeBundle),
}

/// What a Grid Engine execution host needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SgeBundle {
    /// `SGE_ROOT` on the worker.
    pub root: PathBuf,
    /// `SGE_CELL`.
    pub cell: String,
    /// The queue master's port.
    pub qmaster_port: u16,
    /// The execution daemon's port.
    pub execd_port: u16,
    /// Files below `root/cell/common`: name and text (`bootstrap`, `act_qmaster`).
    pub common: Vec<(String, String)>,
}
