//! Machines on request: one trait, whoever makes them. A provider speaks for one host of the cluster's file.

pub mod driver;
pub mod ec2;
mod example;
pub mod fake;
mod libvirt;
mod machine;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use landbridge_pki::NodeName;
use serde::{Deserialize, Serialize};

use crate::spec::ClusterName;

pub use crate::bootstrap::Seed;
pub use example::example;
pub use libvirt::LibvirtProvider;
pub use machine::{Accelerated, Left, Leftover, LeftoverKind, Machine, MachineId, MachineState, Offered, Order};

/// Makes and ends machines on one host. Every call is idempotent: twice is once.
pub trait Provider: Send + Sync {
    /// What the host can do, asked of it now.
    fn offered(&self) -> BoxFuture<'_, Result<Offered, ProviderError>>;

    /// Every machine on the host that bears this cluster's tag, gone ones only for as long as the host shows them.
    fn machines(&self) -> BoxFuture<'_, Result<Vec<Machine>, ProviderError>>;

    /// Makes the machine and starts it; returns when the host has accepted it, not when it runs. The same order (cluster,
    /// worker's id, launch) again finds the machine that it has made already.
    fn provision<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Machine, ProviderError>>;

    /// Ends a worker's machine of that launch and removes its disks and seed; returns when nothing of it is left or the host is
    /// certain to remove it. Nothing there is success.
    fn destroy<'a>(&'a self, launch: &'a Launch) -> BoxFuture<'a, Result<(), ProviderError>>;

    /// The latest of what the machine wrote to its serial console, at most 64 KiB; `None` where there is none.
    fn console<'a>(&'a self, launch: &'a Launch) -> BoxFuture<'a, Result<Option<String>, ProviderError>>;

    /// Everything else on the host that bears this cluster's tag: volumes, seeds, security groups.
    fn leftovers(&self) -> BoxFuture<'_, Result<Vec<Leftover>, ProviderError>>;

    /// Removes one of those.
    fn remove<'a>(&'a self, leftover: &'a Leftover) -> BoxFuture<'a, Result<(), ProviderError>>;
}

/// Who makes machines on which host.
pub type Providers = BTreeMap<NodeName, Arc<dyn Provider>>;

/// One attempt to make a worker's machine. What it makes bears these as tags.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Launch {
    /// The cluster.
    pub cluster: ClusterName,
    /// The worker's name, for people.
    pub worker: NodeName,
    /// The worker's record, unique for ever.
    pub worker_id: i64,
    /// 1 for the first attempt.
    pub attempt: u32,
}

impl Launch {
    /// The machine's name on its host, and what idempotent requests are known by: `lb-CLUSTER-WORKER-ID-ATTEMPT`.
    pub fn name(&self) -> String {
        format!("lb-{}-{}-{}-{}", self.cluster, self.worker, self.worker_id, self.attempt)
    }
}

/// What a host could not do.
#[derive(Debug, thiserror::Error)]
#[error("{operation} of {object} failed: {seen}")]
pub struct ProviderError {
    /// For example `starting the machine`.
    pub operation: &'static str,
    /// Of what: a worker's or a host's name.
    pub object: String,
    /// The host's own words.
    pub seen: String,
    /// What a person can do about it.
    pub remedy: String,
    /// What kind of failure it is, which decides what happens next.
    pub kind: FailureKind,
    /// What it left behind.
    pub left: Left,
}

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// It will be refused again: bad request, missing image, no permission.
    Refused,
    /// The host is full, whatever we believed. Another host may take it.
    Full,
    /// Later it may work: throttled, unreachable, timed out. Nobody knows whether it was done.
    Passing,
}
