//! A host as people see it.

use std::fmt;
use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A place where workers run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostView {
    /// Its number: its place in the file, from 0.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Physical or cloud.
    pub kind: HostKind,
    /// Whether workers can run there.
    pub state: HostState,
    /// When it was heard of last.
    pub since: Option<Timestamp>,
    /// Workers that run there now.
    pub running_workers: u32,
    /// CPU for workers, in hundredths.
    pub total_cpu: u32,
    /// CPU that is promised to nobody, in hundredths.
    pub free_cpu: u32,
    /// CPU promised to workers, in hundredths.
    pub allocated_cpu: u32,
    /// Memory for workers in KiB.
    pub total_memory: u64,
    /// Memory that is promised to nobody, in KiB.
    pub free_memory: u64,
    /// Memory promised to workers, in KiB.
    pub allocated_memory: u64,
    /// What a physical host's processors didn't use of late, in hundredths, as it told itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_cpu: Option<u32>,
    /// Memory that its programs could have now, in KiB, as it told itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_memory: Option<u64>,
    /// A physical host's address towards the other members.
    pub underlay: Option<Ipv4Addr>,
    /// A physical host's bridge.
    pub bridge: Option<String>,
    /// What a person may want to know besides, for example `us-east-1, at most 5 m1.small`.
    pub detail: Option<String>,
    /// How machines are made there, and how they run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machines: Option<String>,
    /// The last failure, one sentence.
    pub failure: Option<String>,
}

/// What a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostKind {
    /// A machine of the laboratory, with a bridge.
    Physical,
    /// A cloud, reached through tunnels.
    Cloud,
}

/// Whether a host can take workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostState {
    /// In the file, but its node program hasn't reported yet.
    New,
    /// Its fabric is as desired.
    On,
    /// Its last report is too old.
    Silent,
    /// Its fabric couldn't be made.
    Error,
    /// Not in the file any more; its fabric is being taken back.
    Leaving,
}

impl HostState {
    /// The word in lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::On => "on",
            Self::Silent => "silent",
            Self::Error => "error",
            Self::Leaving => "leaving",
        }
    }
}

impl fmt::Display for HostState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
