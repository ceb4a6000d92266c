//! Booting: a wish becomes a record, a token and a machine that joins by itself.
//!
//! `planned` -> `provisioning` (the provider is asked) -> `booting` (it has accepted) -> the join. The record and the token's hash
//! are on disk before anybody outside hears of it. The secret itself is only in memory: whoever comes after a crash looks for the
//! machine by its tags, and if there is none, ends that attempt and begins another with another token.

mod decide;
mod discard;
mod elsewhere;
mod order;
mod plan;
mod provision;
mod rooms;
mod tempo;
mod watch;
mod words;

pub use plan::{BootAnswer, BootRequest, Booted};
pub use tempo::Tempo;

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use landbridge_pki::NodeName;
use tokio::sync::{Notify, Semaphore};

use super::{Roster, RosterError};
use crate::provider::{Launch, Provider, Providers};
use crate::store::MachineRecord;

/// So many machines are asked for at once on one host: a hypervisor makes disks one after the other anyway.
const AT_ONCE: usize = 4;

/// A host that makes machines.
pub(super) struct Maker {
    pub(super) provider: Arc<dyn Provider>,
    /// Who asks it for a machine holds one.
    pub(super) turns: Semaphore,
    /// Something is to be looked for there soon.
    pub(super) wake: Notify,
    /// What the host said of itself last.
    pub(super) told: RwLock<Option<rooms::Told>>,
}

pub(super) fn makers(providers: Providers) -> HashMap<NodeName, Arc<Maker>> {
    let maker =
        |provider| Maker { provider, turns: Semaphore::new(AT_ONCE), wake: Notify::new(), told: RwLock::default() };
    providers.into_iter().map(|(host, provider)| (host, Arc::new(maker(provider)))).collect()
}

impl Roster {
    /// Who makes machines on this host.
    pub(super) fn maker(&self, host: &NodeName) -> Result<Arc<Maker>, RosterError> {
        self.makers.get(host).cloned().ok_or_else(|| RosterError::NoProvider(host.clone()))
    }

    /// The attempt as its host knows it.
    pub(super) fn launch(&self, record: &MachineRecord) -> Launch {
        Launch {
            cluster: self.cluster().name.clone(),
            worker: record.worker.clone(),
            worker_id: record.worker_id,
            attempt: record.attempt,
        }
    }

    /// The worker's machine of which something may be left.
    pub(super) fn machine(&self, worker_id: i64) -> Result<Option<MachineRecord>, RosterError> {
        Ok(self.store.machines_of(worker_id)?.into_iter().find(|record| record.destroyed.is_none()))
    }
}

#[cfg(test)]
mod tests;
