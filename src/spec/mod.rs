//! `cluster.toml`: document -> findings -> validated [`Cluster`]. Pure.
//!
//! [`parse`] reads the whole file, whatever is wrong with it, and tells every [`Finding`] at once.

mod check;
mod cluster;
mod document;
mod template;

pub use check::parse;
pub use cluster::{
    Cloud, Cluster, ClusterName, ClusterNameError, FrontEnd, Host, HostKind, Hypervisor, Nfs, Nis, PhysicalHost,
    SchedulerKind, Services, Transport, Tunnels, Uplink, Vlan,
};
pub use document::schema;
pub use template::{example, template};

pub use crate::reading::{Also, Code, Finding, Findings, Place, Severity};

/// Names that no machine can have: they have a meaning of their own, to every resolver, and to Grid Engine (host_conf(5),
/// complex(5) and sge_types(1) keep `global`, `template`, `all`, `default`, `none` and `unknown` for themselves).
pub const RESERVED_NAMES: [&str; 7] = ["localhost", "global", "template", "all", "default", "none", "unknown"];

/// The front-end's name on the vLAN unless the file says otherwise.
pub const FRONT_END_NAME: &str = "frontend";

/// OpenVPN's port unless the file says otherwise (IANA's registration for OpenVPN).
pub const TUNNEL_PORT: u16 = 1194;

/// VXLAN's UDP port (IANA).
pub const VXLAN_PORT: u16 = 4789;

/// A file without errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The cluster.
    pub cluster: Cluster,
    /// Warnings only.
    pub warnings: Findings,
}
