//! What people are shown: plain values that the daemon fills, and that lists, JSON and the topology share. Pure.
//!
//! CPU is counted in hundredths of a processor and memory in KiB, as OpenNebula does.

mod deploy;
mod format;
mod front_end;
mod host;
mod timeline;
mod tone;
mod worker;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use deploy::{DeployStep, DeploySummary, DeployView, StepFigures, WorkerDeploy};
pub use format::{ago, clock, memory, took};
pub use front_end::{FrontEndView, ServiceState, ServiceView, TunnelView, UplinkKind, VlanView};
pub use host::{HostKind, HostState, HostView};
pub use timeline::TimelineView;
pub use tone::Tone;
pub use worker::{TriedHost, WorkerState, WorkerView};

/// The whole cluster at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterView {
    /// The moment.
    pub now: Timestamp,
    /// The cluster's name.
    pub cluster: String,
    /// The front-end.
    pub front_end: FrontEndView,
    /// The private LAN.
    pub vlan: VlanView,
    /// Physical hosts and clouds, in the file's order.
    pub hosts: Vec<HostView>,
    /// Workers that are not gone, by id.
    pub workers: Vec<WorkerView>,
    /// What a person should look at, one sentence each with what to do.
    pub attention: Vec<String>,
}

impl ClusterView {
    /// The workers that run on a host.
    pub fn workers_on<'a>(&'a self, host: &'a str) -> impl Iterator<Item = &'a WorkerView> {
        self.workers.iter().filter(move |worker| worker.host.as_deref() == Some(host))
    }

    /// The workers whose host isn't known: machines that joined with a token on their own.
    pub fn workers_elsewhere(&self) -> impl Iterator<Item = &WorkerView> {
        let known = |name: &str| self.hosts.iter().any(|host| host.name == name);
        self.workers.iter().filter(move |worker| !worker.host.as_deref().is_some_and(known))
    }
}
