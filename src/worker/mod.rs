//! A worker as the front-end knows it. Pure.

mod state;

use std::net::Ipv4Addr;

use jiff::Timestamp;
use landbridge_node::wire::{HostEntry, MachineFacts, Via};
use landbridge_pki::NodeName;

pub use state::{FailedAt, LeaveStep, StateError, WorkerState};

/// A worker's record: on disk before anything outside is asked for, gone only when nothing of the worker is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Unique for ever; counts up from 1.
    pub id: i64,
    /// Unique among workers that are not gone.
    pub name: NodeName,
    /// Where it runs, when known.
    pub host: Option<NodeName>,
    /// Whether we gave it a machine; else it joined, or will, with a token that a person carried.
    pub booted: bool,
    /// How it reaches the vLAN.
    pub via: Via,
    /// Its lease.
    pub address: Ipv4Addr,
    /// Job slots in the queue.
    pub slots: u32,
    /// Where it is in its life.
    pub state: WorkerState,
    /// Why it failed, in words.
    pub failure: Option<String>,
    /// When the record was made.
    pub created: Timestamp,
    /// When its state last changed.
    pub changed: Timestamp,
    /// When it was ready for the first time.
    pub ready: Option<Timestamp>,
    /// When it was last heard of.
    pub seen: Option<Timestamp>,
    /// What the machine said of itself.
    pub facts: Option<MachineFacts>,
}

impl Worker {
    /// Its line in hosts files and maps.
    pub fn host_entry(&self) -> HostEntry {
        HostEntry { name: self.name.clone(), address: self.address }
    }
}
