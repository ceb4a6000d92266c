//! Joining, staying, leaving: the bodies.

use ipnetwork::Ipv4Network;
use jiff::Timestamp;
use landbridge_fabric::Network;
use landbridge_pki::{NodeName, Role};
use serde::{Deserialize, Serialize};

use super::{Bundle, Failure};

/// How a worker reaches the vLAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// An OpenVPN tunnel to the front-end.
    Tunnel,
    /// A NIC on a physical host's bridge.
    Bridge,
}

/// What a machine says of itself. Shown to people, never trusted for a decision about names or keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineFacts {
    /// Its host name before it joined.
    #[serde(deserialize_with = "super::plain::text")]
    pub hostname: String,
    /// Online processors.
    pub cpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// The kernel's release.
    #[serde(deserialize_with = "super::plain::text")]
    pub kernel: String,
    /// `/proc/sys/kernel/random/boot_id`: another one means that the machine was rebooted.
    #[serde(deserialize_with = "super::plain::text")]
    pub boot_id: String,
}

/// The first request of a machine that has a token. The same token with the same key may be sent again (a join that was
/// interrupted) and gets the same identity; with another key the token counts as used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JoinRequest {
    /// The token's secret: 32 bytes, base64url without padding.
    pub secret: String,
    /// What the machine means to become. A token is for one role.
    pub role: Role,
    /// How it means to reach the vLAN; `None` for a host.
    pub via: Option<Via>,
    /// The request (PKCS#10, PEM). Only its key is used.
    pub csr_pem: String,
    /// The machine's clock, seconds since 1970.
    pub clock: i64,
    /// What it says of itself.
    pub facts: MachineFacts,
}

/// A known worker that starts again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RejoinRequest {
    /// The machine's clock, seconds since 1970.
    pub clock: i64,
    /// What it says of itself.
    pub facts: MachineFacts,
}

/// A node whose certificate has passed two thirds of its life.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RenewRequest {
    /// A request with a new key (PKCS#10, PEM).
    pub csr_pem: String,
}

/// Who the machine now is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The cluster's name.
    pub cluster: String,
    /// Its name.
    pub name: NodeName,
    /// Its certificate (PEM, the leaf alone).
    pub certificate_pem: String,
    /// Every authority to trust (PEM, one or, during a rotation, two).
    pub trust_pem: String,
    /// Where the API answers, best first: `ADDRESS:PORT`.
    pub api: Vec<String>,
}

/// The answer to a join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admission {
    /// Who the machine now is.
    pub identity: Identity,
    /// What a worker needs; `None` for a host, which asks for its fabric next.
    pub bundle: Option<Bundle>,
}

/// What the front-end wants of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Keep everything as the bundle says.
    Stay,
    /// The slot is closed and its jobs are done: undo everything but the link, say `left`, then undo the link.
    Leave,
}

/// A worker's orders, and the number to ask after next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// Rises by at least one with every change.
    pub generation: u64,
    /// What to do.
    pub standing: Standing,
    /// The bundle as it is now.
    pub bundle: Option<Bundle>,
    /// Whether the front-end's side of the canary stage has passed: `None` while it is under way.
    pub canary: Option<Result<(), Failure>>,
    /// Renew the certificate now, whatever its age: the authorities to trust have changed.
    #[serde(default)]
    pub renew: bool,
    /// The authorities to trust from now on (PEM); `None` from a front-end that doesn't say.
    #[serde(default)]
    pub trust_pem: Option<String>,
}

/// The worker's machine goes soon, whatever anybody wants: its cloud has said so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenBack {
    /// At this moment, by the cloud's clock.
    pub at: Timestamp,
}

/// The fabric that a host should have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FabricOrder {
    /// Rises by at least one with every change.
    pub generation: u64,
    /// The whole network of the host; empty when the host is to leave.
    pub network: Network,
    /// Renew the certificate now, whatever its age: the authorities to trust have changed.
    #[serde(default)]
    pub renew: bool,
    /// The authorities to trust from now on (PEM); `None` from a front-end that doesn't say.
    #[serde(default)]
    pub trust_pem: Option<String>,
}

/// How busy a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostLoad {
    /// What its processors didn't use of late, in hundredths of one.
    pub idle_cpu: u32,
    /// Memory that programs could have without swapping, in KiB.
    pub available_memory_kib: u64,
}

/// What a host did, and what it sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FabricReport {
    /// The order that this answers.
    pub generation: u64,
    /// The plan's lines as they were carried out; empty when nothing had to change.
    #[serde(deserialize_with = "super::plain::texts")]
    pub changed: Vec<String>,
    /// Ports of the bridge, as seen: name and the bridge's own learned peers are not told.
    pub ports: Vec<String>,
    /// Addresses, as seen, on our links.
    pub addresses: Vec<Ipv4Network>,
    /// Set when the order could not be carried out.
    pub failure: Option<Failure>,
    /// What the host says of itself.
    pub facts: MachineFacts,
}
