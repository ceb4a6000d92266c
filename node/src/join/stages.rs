//! What each stage adds to the machine, and how long it may take. Pure.

use std::time::Duration;

use super::worker::Worker;
use super::{address, link, nfs, nis, queue};
use crate::machine::MachineSpec;
use crate::wire::{Bundle, Stage};

/// What a stage adds. The stages that only prove something add nothing.
pub fn resources(stage: Stage, worker: &Worker) -> MachineSpec {
    match stage {
        Stage::Link => link::resources(worker),
        Stage::Address => address::resources(worker),
        Stage::Nfs => worker.bundle.nfs.as_ref().map(nfs::resources).unwrap_or_default(),
        Stage::Nis => worker.bundle.nis.as_ref().map(|nis| nis::resources(nis, worker)).unwrap_or_default(),
        Stage::Queue => worker.bundle.queue.as_ref().map(|queue| queue::resources(queue, worker)).unwrap_or_default(),
        Stage::Contact | Stage::Identity | Stage::Mtu | Stage::Canary => MachineSpec::default(),
    }
}

/// Everything up to and with a stage: what the machine should have when the stage has passed.
pub fn spec_until(last: Stage, worker: &Worker) -> MachineSpec {
    let mut spec = MachineSpec::default();
    for stage in Stage::ALL.into_iter().filter(|stage| *stage <= last) {
        spec.extend(resources(stage, worker));
    }
    spec
}

/// Everything that a ready worker has.
pub fn whole_spec(worker: &Worker) -> MachineSpec {
    spec_until(Stage::Canary, worker)
}

/// Whether the cluster has what the stage proves. Without a queue there is nothing for a canary job to run in.
pub fn is_needed(stage: Stage, bundle: &Bundle) -> bool {
    match stage {
        Stage::Nfs => bundle.nfs.is_some(),
        Stage::Nis => bundle.nis.is_some(),
        Stage::Queue | Stage::Canary => bundle.queue.is_some(),
        _ => true,
    }
}

/// How long a stage may take. Past it, it has failed.
pub fn deadline(stage: Stage) -> Duration {
    Duration::from_secs(match stage {
        Stage::Contact | Stage::Mtu => 10,
        Stage::Address => 15,
        Stage::Nis => 20,
        Stage::Link | Stage::Nfs | Stage::Queue => 30,
        Stage::Identity | Stage::Canary => 60,
    })
}
