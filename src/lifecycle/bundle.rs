//! What a worker needs, taken together.

use jiff::Timestamp;
use landbridge_node::nic;
use landbridge_node::wire::{Bundle, HostEntry, LinkBundle, Via};

use super::token::with_prefix;
use super::{Roster, RosterError};
use crate::worker::Worker;
use crate::{naming, services};

impl Roster {
    /// The worker's whole configuration.
    pub(super) fn bundle(&self, worker: &Worker) -> Result<Bundle, RosterError> {
        let cluster = self.cluster();
        let link = match worker.via {
            Via::Bridge => LinkBundle::Bridge,
            Via::Tunnel => LinkBundle::Tunnel {
                config: self.tunnel_config(worker)?,
                device: naming::worker_tap(&cluster.name),
                wide: cluster.wide(),
                mac: nic::mac(&naming::bridge(&cluster.name)),
            },
        };
        Ok(Bundle {
            address: with_prefix(&cluster, worker),
            front_end: HostEntry { name: cluster.front_end.name.clone(), address: cluster.vlan.front_end().ip() },
            mtu: cluster.vlan.mtu,
            link,
            nfs: services::nfs::bundle(&cluster, self.nfs_server),
            nis: services::nis::bundle(&cluster, &self.people()),
            queue: self.queue.bundle(),
        })
    }

    fn tunnel_config(&self, worker: &Worker) -> Result<String, RosterError> {
        let cluster = self.cluster();
        let (certificate_pem, trust_pem) = self.with_authority(|authority| {
            let register = authority.register();
            let current = register.current(&worker.name, Timestamp::now())?;
            let pem = current.map(|facts| register.certificate_pem(facts.serial)).transpose()?;
            Ok::<_, RosterError>((pem.unwrap_or_default(), register.trust_pem()))
        })?;
        let whom = (&worker.name, with_prefix(&cluster, worker));
        Ok(self.tunnel.client_config(&cluster, whom, &certificate_pem, &trust_pem)?)
    }
}
