//! What providers and their callers say to each other.

use std::net::IpAddr;

use jiff::Timestamp;
use landbridge_fabric::InterfaceName;
use landbridge_pki::NodeName;
use serde::{Deserialize, Serialize};

use super::Launch;
use crate::bootstrap::Seed;
use crate::naming::Mac;
use crate::template::WorkerTemplate;

/// A machine to be.
#[derive(Clone, Debug)]
pub struct Order {
    /// Whose it is.
    pub launch: Launch,
    /// What it is.
    pub template: WorkerTemplate,
    /// The bridge of the vLAN on a physical host.
    pub bridge: InterfaceName,
    /// The MAC address of its card there; follows from the worker's address.
    pub mac: Mac,
    /// What it is told at its first start.
    pub seed: Seed,
}

/// A machine's name in its host's own words: a domain's UUID, an instance's id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MachineId(pub String);

/// A machine as its host shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The host's name for it.
    pub id: MachineId,
    /// Whose it is, by its tags.
    pub launch: Launch,
    /// Where it is in its life.
    pub state: MachineState,
    /// Its address outside the vLAN, when it has one.
    pub address: Option<IpAddr>,
    /// When the host started it, where it says so.
    pub started: Option<Timestamp>,
    /// The host takes it back at this moment: a spot instance's interruption notice.
    pub reclaimed_at: Option<Timestamp>,
    /// Why it doesn't run (any more), in the host's own words, where it has some.
    pub because: Option<String>,
}

/// Where a machine is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MachineState {
    /// Accepted; doesn't run yet.
    Pending,
    /// There, and doesn't run: never started yet, or off since and not about to come back by itself.
    Off,
    /// Runs.
    Running,
    /// On its way out.
    Stopping,
    /// Doesn't run and won't again; the host may still show it for a while.
    Gone,
}

/// What a host can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Hundredths of a processor of one machine where the host decides (a cloud's instance type), else of the whole host.
    pub cpu: u32,
    /// MiB, likewise.
    pub memory_mib: u64,
    /// How machines run there.
    pub accelerated: Accelerated,
    /// In words, for `host show`: the hypervisor and its version, or the region.
    pub description: String,
}

/// How machines run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accelerated {
    /// By hardware, and a guest was proved to run so.
    Proved,
    /// By emulation; why hardware isn't used, in words.
    Emulated(String),
    /// The host decides (a cloud).
    NotOurs,
}

/// What a failed request left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing: it may be asked again as if never asked.
    Nothing,
    /// These.
    These(Vec<Leftover>),
    /// Nobody knows: look, by the launch's tags, before asking again.
    Unknown,
}

/// Something of ours on a host that is no machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Leftover {
    /// What it is.
    pub kind: LeftoverKind,
    /// The host's name for it.
    pub id: String,
    /// Whose it is; `None` when the whole cluster's.
    pub worker_id: Option<i64>,
    /// That worker's name, for people.
    pub worker: Option<NodeName>,
}

/// What a leftover is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftoverKind {
    /// A disk.
    Volume,
    /// A seed image.
    Seed,
    /// A security group.
    SecurityGroup,
}
