//! A host that turns out full, whatever was believed of it: its worker goes to the next one, unless a person has named that host.

use jiff::{SignedDuration, Timestamp};
use landbridge_node::machine::crash;
use landbridge_node::wire::Via;
use landbridge_pki::NodeName;

use super::Roster;
use super::plan::{PLACES, token_expires, way, wish_for};
use crate::lifecycle::RosterError;
use crate::lifecycle::token::FreshSecret;
use crate::placement::{self, Placed, Room, Strategy};
use crate::provider::{FailureKind, Left, ProviderError};
use crate::spec::Host;
use crate::store::{MachineMove, MachineRecord, StoreError};
use crate::worker::Worker;

/// The next host for a worker, whose rooms are these; `None` where no other takes it. Pure.
fn next(mut rooms: Vec<Room>, tried: &[NodeName], record: &MachineRecord, strategy: Strategy) -> Option<NodeName> {
    rooms.retain(|room| !tried.contains(&room.name));
    match placement::place(&rooms, &wish_for(&record.template, strategy)).remove(0) {
        Placed::On { host, .. } => Some(host),
        Placed::Nowhere { .. } => None,
    }
}

impl Roster {
    /// Sends a worker whose host has no room after all to another one, and gives it a token for there; `None` when it stays and
    /// has failed. Nothing is left on the old host before the new one is written down, nor is that asked before.
    pub(super) async fn go_elsewhere(
        &self,
        worker: &Worker,
        record: &MachineRecord,
        error: &ProviderError,
    ) -> Result<Option<FreshSecret>, RosterError> {
        let (FailureKind::Full, Some(strategy)) = (error.kind, record.elsewhere) else { return Ok(None) };
        if error.left != Left::Nothing {
            self.maker(&record.host)?.provider.destroy(&self.launch(record)).await?;
            crash::point();
        }
        let tried: Vec<NodeName> = self.store.machines_of(worker.id)?.into_iter().map(|record| record.host).collect();
        for _ in 0..PLACES {
            let Some(host) = next(self.rooms()?, &tried, record, strategy) else { return Ok(None) };
            match self.move_to(worker, record, &host, &error.seen).await {
                Ok(fresh) => return Ok(Some(fresh)),
                // Somebody else was quicker.
                Err(RosterError::Store(StoreError::NoRoom { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    async fn move_to(
        &self,
        worker: &Worker,
        record: &MachineRecord,
        to: &NodeName,
        why: &str,
    ) -> Result<FreshSecret, RosterError> {
        let host = self.host_of_file(to)?;
        if worker.via == Via::Tunnel {
            // It is let in again from another cloud, and not at all from a physical host.
            self.tunnel.cut(&worker.name).await?;
            crash::point();
        }
        let (fresh, now) = (FreshSecret::new(), Timestamp::now());
        let to = self.machine_plan(&record.template, &host, self.own_patience(record), record.elsewhere);
        let going = MachineMove {
            why: why.to_owned(),
            via: way(&host),
            token: fresh.hash,
            token_expires: token_expires(now, to.patience),
            to,
        };
        self.store.move_machine(record, &going, now)?;
        crash::point();
        self.note(&worker.name, &format!("{} can't take it ({why}): it goes to {}", record.host, host.name));
        Ok(fresh)
    }

    /// How long a person gave the worker; `None` where that followed from its host.
    fn own_patience(&self, record: &MachineRecord) -> Option<SignedDuration> {
        Some(record.patience).filter(|patience| *patience != self.usual_patience(&record.host))
    }

    /// A host of the cluster's file.
    pub(super) fn host_of_file(&self, name: &NodeName) -> Result<Host, RosterError> {
        let found = self.cluster().hosts.iter().find(|host| host.name == *name).cloned();
        found.ok_or_else(|| RosterError::Unknown { what: "host", name: name.clone() })
    }
}
