//! Machines that were asked for.

use jiff::{SignedDuration, Timestamp};
use landbridge_node::wire::Via;
use landbridge_pki::NodeName;

use super::{TimelineRow, TokenHash};
use crate::placement::Strategy;
use crate::template::WorkerTemplate;

/// A machine to be.
#[derive(Clone, Debug)]
pub struct MachinePlan {
    /// Where.
    pub host: NodeName,
    /// What it is.
    pub template: WorkerTemplate,
    /// What it takes of the host's processors, in hundredths.
    pub cpu: u32,
    /// What it takes of the host's memory, in MiB.
    pub memory_mib: u64,
    /// What the host has for all its workers.
    pub room: Room,
    /// How long it may take from being asked for until it is ready.
    pub patience: SignedDuration,
    /// How another host is chosen when this one turns out full; `None`: a person has named this one.
    pub elsewhere: Option<Strategy>,
}

/// Another host for a worker whose host turned out full.
#[derive(Clone, Debug)]
pub struct MachineMove {
    /// Why the last attempt came to nothing.
    pub why: String,
    /// The next one.
    pub to: MachinePlan,
    /// How the worker reaches the vLAN from there.
    pub via: Via,
    /// Its new token, which is for that way.
    pub token: TokenHash,
    /// Until when that may be used.
    pub token_expires: Timestamp,
}

/// What a host has for workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Hundredths of a processor.
    pub cpu: u32,
    /// MiB.
    pub memory_mib: u64,
    /// At most so many, where that is told.
    pub machines: Option<u32>,
}

/// One attempt to give a worker a machine. On disk before the provider is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineRecord {
    /// Whose.
    pub worker_id: i64,
    /// The worker's name.
    pub worker: NodeName,
    /// 1 for the first.
    pub attempt: u32,
    /// Where.
    pub host: NodeName,
    /// What it is.
    pub template: WorkerTemplate,
    /// What it takes of the host's processors, in hundredths.
    pub cpu: u32,
    /// What it takes of the host's memory, in MiB.
    pub memory_mib: u64,
    /// How long it may take from being asked for until it is ready.
    pub patience: SignedDuration,
    /// When it was planned.
    pub planned: Timestamp,
    /// When the provider was first asked; `None`: it knows nothing of it.
    pub asked: Option<Timestamp>,
    /// When it was first known that the provider has made it.
    pub accepted: Option<Timestamp>,
    /// When it was first seen to run.
    pub running: Option<Timestamp>,
    /// When nothing of it was left. Until then it takes its part of the host.
    pub destroyed: Option<Timestamp>,
    /// The provider's name for it.
    pub id: Option<String>,
    /// The file with what it wrote to its console.
    pub console: Option<String>,
    /// How another host is chosen when this one turns out full; `None`: a person has named this one.
    pub elsewhere: Option<Strategy>,
    /// Why nothing came of it, where the worker went on to another host.
    pub refused: Option<String>,
}

#[cfg(test)]
impl MachineRecord {
    /// The machine of the worker `wN`, which runs on ursa01 since a while.
    pub(crate) fn example(worker_id: i64) -> Self {
        let (then, template) = (Timestamp::constant(1_800_000_000, 0), crate::template::example());
        Self {
            worker_id,
            worker: NodeName::new(format!("w{worker_id}")).expect("a label"),
            attempt: 1,
            host: NodeName::new("ursa01").expect("a label"),
            cpu: template.cpu.0,
            memory_mib: template.memory_mib,
            template,
            patience: SignedDuration::from_mins(5),
            planned: then,
            asked: Some(then),
            accepted: Some(then),
            running: Some(then),
            destroyed: None,
            id: Some(format!("domain-{worker_id}")),
            console: None,
            elsewhere: None,
            refused: None,
        }
    }
}

/// What became of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MachineNews {
    /// The provider is about to be asked.
    Asked,
    /// The provider has made it, and calls it so.
    Accepted(String),
    /// It runs.
    Running,
    /// What it wrote to its console is kept in this file.
    Console(String),
    /// Nothing of it is left.
    Destroyed,
}

/// How a worker that has, or had, a machine became ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deploy {
    /// The last attempt to give it a machine.
    pub machine: MachineRecord,
    /// When it was asked for.
    pub asked: Timestamp,
    /// When it was ready first.
    pub ready: Option<Timestamp>,
    /// The stages of its first join that came to the queue, in order.
    pub stages: Vec<TimelineRow>,
}
