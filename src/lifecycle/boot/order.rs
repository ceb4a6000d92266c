//! What a provider is asked for.

use landbridge_node::wire::Via;

use super::Roster;
use crate::bootstrap::{self, Bootstrap, Card, Needs, Seed};
use crate::lifecycle::RosterError;
use crate::lifecycle::token::{FreshSecret, with_prefix};
use crate::naming::{self, Mac};
use crate::provider::{Launch, Order};
use crate::spec::SchedulerKind;
use crate::store::MachineRecord;
use crate::worker::Worker;

impl Roster {
    /// The machine's order. The same secret makes the same order.
    pub(super) fn order(
        &self,
        worker: &Worker,
        record: &MachineRecord,
        secret: &FreshSecret,
    ) -> Result<Order, RosterError> {
        let launch = self.launch(record);
        Ok(Order {
            seed: self.seed(worker, &launch, secret)?,
            template: record.template.clone(),
            bridge: naming::bridge(&self.cluster().name),
            mac: Mac::of(worker.address),
            launch,
        })
    }

    fn seed(&self, worker: &Worker, launch: &Launch, secret: &FreshSecret) -> Result<Seed, RosterError> {
        let (cluster, token) = (self.cluster(), self.token(worker, secret));
        let trust_pem = self.with_authority(|authority| authority.register().trust_pem());
        let services = &cluster.services;
        let needs = Needs {
            nfs: services.nfs.is_some(),
            nis: services.nis.is_some(),
            sge: services.scheduler == SchedulerKind::Sge,
        };
        let node_sha256 = self.node_program()?.sha256;
        let user_data = bootstrap::user_data(&Bootstrap { token: &token, trust_pem: &trust_pem, node_sha256, needs })?;
        let address = with_prefix(&cluster, worker);
        let card = Card { mac: Mac::of(worker.address), address, mtu: cluster.vlan.mtu };
        Ok(Seed {
            user_data,
            meta_data: bootstrap::meta_data(&launch.name(), &worker.name),
            network_config: (worker.via == Via::Bridge).then(|| bootstrap::network_config(&card)),
        })
    }
}
