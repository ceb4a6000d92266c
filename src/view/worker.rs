//! A worker as people see it.

use std::fmt;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use jiff::Timestamp;
use landbridge_node::wire::{Stage, Via};
use serde::{Deserialize, Serialize};

use super::{DeployStep, TimelineView};

/// A worker, wherever it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerView {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Where it is in its life.
    pub state: WorkerState,
    /// The stage that a joining worker is in, or that a failed one failed at.
    pub stage: Option<Stage>,
    /// Where one that failed before its join did: `provisioning` or `booting`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<String>,
    /// Since when it has this state.
    pub since: Timestamp,
    /// When it was asked for.
    pub asked: Timestamp,
    /// Its CPU in hundredths.
    pub cpu: u32,
    /// Its memory in KiB.
    pub memory: u64,
    /// The host that it runs on; `None` for a machine that joined on its own.
    pub host: Option<String>,
    /// Its address on the vLAN.
    pub address: Option<Ipv4Addr>,
    /// How it reaches the vLAN.
    pub via: Option<Via>,
    /// Jobs that run on it, when the queue said so.
    pub jobs: Option<u32>,
    /// Why it failed, one sentence with the remedy.
    pub failure: Option<String>,
    /// The provider's own name for the machine.
    pub machine: Option<String>,
    /// The log of its console.
    pub console: Option<PathBuf>,
    /// Hosts that could not take it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<TriedHost>,
    /// What came before its join: each step of its machine's way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub boot: Vec<DeployStep>,
    /// Its last join.
    pub timeline: Option<TimelineView>,
}

/// A host that could not take a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriedHost {
    /// Its name.
    pub host: String,
    /// Why not, in its own words.
    pub why: String,
}

impl WorkerView {
    /// State and stage in a few words, for example `joining: nfs`.
    pub fn state_text(&self) -> String {
        if let (WorkerState::Failed, Some(at)) = (self.state, &self.failed_at) {
            return format!("{}: {at}", self.state);
        }
        match (self.state, self.stage) {
            (WorkerState::Joining | WorkerState::Failed, Some(stage)) => format!("{}: {stage}", self.state),
            (state, _) => state.to_string(),
        }
    }
}

/// Where a worker is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkerState {
    /// Recorded; nothing outside was asked for.
    Planned,
    /// The provider was asked for a machine.
    Provisioning,
    /// The machine is there and hasn't called yet.
    Booting,
    /// Its join is under way.
    Joining,
    /// Every stage was proved.
    Ready,
    /// It was ready and doesn't answer.
    Lost,
    /// It takes no more jobs; those that run go on.
    Draining,
    /// It takes no more jobs, and has none.
    Drained,
    /// It is being taken apart.
    Leaving,
    /// A stage failed.
    Failed,
    /// Nothing of it is left.
    Gone,
}

impl WorkerState {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 11] = [
        Self::Planned,
        Self::Provisioning,
        Self::Booting,
        Self::Joining,
        Self::Ready,
        Self::Lost,
        Self::Draining,
        Self::Drained,
        Self::Leaving,
        Self::Failed,
        Self::Gone,
    ];

    /// The word in lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Provisioning => "provisioning",
            Self::Booting => "booting",
            Self::Joining => "joining",
            Self::Ready => "ready",
            Self::Lost => "lost",
            Self::Draining => "draining",
            Self::Drained => "drained",
            Self::Leaving => "leaving",
            Self::Failed => "failed",
            Self::Gone => "gone",
        }
    }
}

impl fmt::Display for WorkerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
