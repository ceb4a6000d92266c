//! What `audit` asks about both sides, and what it puts right.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use landbridge_pki::NodeName;

use super::{Roster, RosterError, leave};
use crate::provider::{Launch, Leftover, Machine};
use crate::worker::WorkerState;

/// For a host's answer.
const ANSWER: Duration = Duration::from_secs(30);

/// What a host has of ours, or why it didn't say.
pub type Inventory = Result<(Vec<Machine>, Vec<Leftover>), String>;

impl Roster {
    /// What each host that makes machines has of ours, asked side by side. One that can't be asked and never was asked for a
    /// machine (a cloud without credentials) is left out: as far as anybody knows nothing of ours is there.
    pub async fn inventories(&self) -> Result<BTreeMap<NodeName, Inventory>, RosterError> {
        let used: BTreeSet<NodeName> = self.store.all_machines()?.into_iter().map(|machine| machine.host).collect();
        let asked = self.makers.iter().map(|(host, maker)| async move {
            let both = async {
                let machines = maker.provider.machines().await?;
                Ok::<_, RosterError>((machines, maker.provider.leftovers().await?))
            };
            let told = match tokio::time::timeout(ANSWER, both).await {
                Ok(told) => told.map_err(|error| error.to_string()),
                Err(_) => Err(format!("no answer within {} s", ANSWER.as_secs())),
            };
            (host.clone(), told)
        });
        let all = futures_util::future::join_all(asked).await;
        Ok(all.into_iter().filter(|(host, told)| told.is_ok() || used.contains(host)).collect())
    }

    /// Ends a machine that no record knows.
    pub async fn destroy_stray(&self, host: &NodeName, launch: &Launch) -> Result<(), RosterError> {
        self.maker(host)?.provider.destroy(launch).await?;
        self.note(
            &launch.worker,
            &format!("a machine {} on {host}, which no record knew, is destroyed", launch.name()),
        );
        Ok(())
    }

    /// Removes something that no machine needs.
    pub async fn remove_leftover(&self, host: &NodeName, leftover: &Leftover) -> Result<(), RosterError> {
        self.maker(host)?.provider.remove(leftover).await?;
        self.note(host, &format!("{} is removed there: no machine needed it", leftover.id));
        Ok(())
    }

    /// The queue forgets a machine that is no worker.
    pub async fn dequeue(&self, name: &NodeName) -> Result<(), RosterError> {
        Ok(self.queue.remove(name).await?)
    }

    /// Ends a lease that is nobody's.
    pub fn release_address(&self, address: Ipv4Addr) -> Result<(), RosterError> {
        Ok(self.store.release_address(address, leave::quarantine(), Timestamp::now())?)
    }

    /// Leases a worker's address to it again. An error when another has it by now.
    pub fn lease_again(&self, name: &NodeName) -> Result<(), RosterError> {
        Ok(self.store.lease_again(self.alive(name)?.id)?)
    }

    /// Makes the front-end's side of a worker again.
    pub async fn prepare_again(&self, name: &NodeName) -> Result<(), RosterError> {
        let worker = self.alive(name)?;
        self.prepare(&worker).await?;
        if worker.state == WorkerState::Ready {
            self.queue.open(name).await?;
        }
        Ok(())
    }
}
