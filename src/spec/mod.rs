//! `cluster.toml`: document -> findings -> validated [`Cluster`]. Pure.
//!
//! [`parse`] reads the whole file, whatever is wrong with it, and tells every [`Finding`] at once.

mod check;
mod cluster;
mod code;
mod document;
mod findings;
mod memory;
mod reader;
mod suggest;
mod template;

pub use check::parse;
pub use cluster::{
    Cloud, Cluster, ClusterName, ClusterNameError, FrontEnd, Host, HostKind, Hypervisor, Nfs, Nis, PhysicalHost,
    SchedulerKind, Services, Uplink, Vlan,
};
pub use code::Code;
pub use document::schema;
pub use findings::{Also, Finding, Findings, Parsed, Place, Severity};
pub use template::{example, template};

/// The front-end's name on the vLAN unless the file says otherwise.
pub const FRONT_END_NAME: &str = "frontend";

/// OpenVPN's port unless the file says otherwise (IANA's registration for OpenVPN).
pub const TUNNEL_PORT: u16 = 1194;

/// What VXLAN over IPv4 adds to a packet: inner Ethernet (14), VXLAN (8), UDP (8), outer IPv4 (20). RFC 7348, section 5.
pub const VXLAN_OVERHEAD: u32 = 50;

/// VXLAN's UDP port (IANA).
pub const VXLAN_PORT: u16 = 4789;
