//! Physical hosts: enrolled, given their fabric, heard of, and let go.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use jiff::Timestamp;
use landbridge_fabric::Network;
use landbridge_node::wire::{FabricOrder, FabricReport, MachineFacts, Refusal};
use landbridge_pki::NodeName;

use super::admit::internal;
use super::{Roster, RosterError, refuse};
use crate::enroll::Peer;
use crate::network;
use crate::spec::{Cluster, HostKind};
use crate::store::{HostNews, HostRecord, Store, StoreError};
use crate::worker::{Worker, WorkerState};

impl Roster {
    /// A host has used its token: its fabric follows, and everybody else's flood entries.
    pub(super) async fn enrol(&self, name: &NodeName, facts: MachineFacts) -> Result<(), RosterError> {
        self.host(name)?;
        self.store.note_host(name, &HostNews::Enrolled(facts), Timestamp::now())?;
        self.note(name, "is enrolled");
        self.membership_changed().await
    }

    /// Lets a host go: it gives its fabric back, then its certificate is revoked. Returns at once; [`Roster::hear_host`]
    /// does the rest when the host has reported. `true` when something changed.
    pub async fn remove_host(self: &Arc<Self>, name: &NodeName) -> Result<bool, RosterError> {
        let Some(host) = self.host_in_cluster(name)? else { return Ok(false) };
        if host.enrolled.is_none() {
            self.store.forget_host(name)?;
            return Ok(true);
        }
        let behind = self.behind(name)?;
        if !behind.is_empty() && !host.leaving {
            return Err(RosterError::HasWorkers { name: name.clone(), workers: behind.join(", ") });
        }
        let changed = !host.leaving;
        self.store.note_host(name, &HostNews::Leaving, Timestamp::now())?;
        if changed {
            self.note(name, "is asked to give its fabric back");
            self.membership_changed().await?;
        }
        Ok(changed)
    }

    /// The workers that are there, or on their way.
    fn behind(&self, host: &NodeName) -> Result<Vec<String>, StoreError> {
        let is_there = |worker: &Worker| worker.host.as_ref() == Some(host) && worker.state != WorkerState::Planned;
        Ok(self.store.workers()?.into_iter().filter(is_there).map(|worker| worker.name.to_string()).collect())
    }

    /// Forgets a host that can't be reached any more. `true` when something changed.
    pub async fn forget_host(&self, name: &NodeName) -> Result<bool, RosterError> {
        if self.host_in_cluster(name)?.is_none() {
            return Ok(false);
        }
        self.lock_out(name)?;
        self.store.forget_host(name)?;
        self.bells.ring(name);
        self.note(name, "is removed");
        self.membership_changed().await?;
        Ok(true)
    }

    /// The host's record; `None` for one that the cluster's file knows and that has not been added.
    fn host_in_cluster(&self, name: &NodeName) -> Result<Option<HostRecord>, RosterError> {
        match self.host(name) {
            Err(RosterError::Unknown { .. }) if self.cluster().hosts.iter().any(|h| h.name == *name) => Ok(None),
            found => found.map(Some),
        }
    }

    /// The front-end and every host get the flood entries that the present members need.
    async fn membership_changed(&self) -> Result<(), RosterError> {
        for host in self.store.hosts()? {
            self.bells.ring(&host.name);
        }
        self.follow.follow().await.map_err(RosterError::Follow)
    }

    pub(super) async fn fabric_order(&self, peer: &Peer, after: u64) -> Result<FabricOrder, Refusal> {
        let name = peer.name();
        self.host(name).map_err(|_| refuse::revoked(name))?;
        let seen = self.store.note_host(name, &HostNews::Seen, Timestamp::now());
        seen.map_err(|e| internal("recording the host", &e))?;
        let generation = self.bells.wait(name, after).await;
        let network = self.host_network(name).map_err(|e| internal("planning the host's fabric", &e))?;
        let (renew, trust_pem) = self.keys_news(peer);
        let order = |network| FabricOrder { generation, network, renew, trust_pem: Some(trust_pem) };
        network.map(order).ok_or_else(|| refuse::revoked(name))
    }

    fn host_network(&self, name: &NodeName) -> Result<Option<Network>, RosterError> {
        let cluster = self.cluster();
        let Some(record) = self.store.hosts()?.into_iter().find(|h| h.name == *name) else { return Ok(None) };
        let network = match underlay(&cluster, name) {
            Some(underlay) if !record.leaving => {
                network::of_host(&cluster, underlay, &members(&cluster, self.store.as_ref())?)
            }
            // Leaving, or no longer in the cluster's file: nothing of ours.
            _ => Network::empty(cluster.name.owner()),
        };
        Ok(Some(network))
    }

    pub(super) fn hear_host(self: &Arc<Self>, name: &NodeName, report: FabricReport) -> Result<(), RosterError> {
        let failure = report.failure.as_ref().map(|f| format!("{f}; {}", f.remedy));
        let news = HostNews::Reported { generation: report.generation, failure, facts: report.facts };
        self.store.note_host(name, &news, Timestamp::now())?;
        let host = self.host(name)?;
        for line in &report.changed {
            self.note(name, line);
        }
        let undone = host.leaving && report.failure.is_none() && report.ports.is_empty();
        if undone && report.generation == self.bells.now(name) {
            let (roster, name) = (Arc::clone(self), name.clone());
            self.tasks.spawn(async move {
                if let Err(error) = roster.forget_host(&name).await {
                    tracing::error!(%name, error = &error as &dyn std::error::Error, "removing the host failed");
                }
            });
        }
        Ok(())
    }

    fn host(&self, name: &NodeName) -> Result<HostRecord, RosterError> {
        let found = self.store.hosts()?.into_iter().find(|h| h.name == *name);
        found.ok_or_else(|| RosterError::Unknown { what: "host", name: name.clone() })
    }
}

fn underlay(cluster: &Cluster, name: &NodeName) -> Option<Ipv4Addr> {
    cluster.hosts.iter().filter(|h| h.name == *name).find_map(|h| match &h.kind {
        HostKind::Physical(host) => Some(host.underlay),
        HostKind::Cloud(_) => None,
    })
}

/// The underlay addresses of every physical host that is enrolled and stays.
pub fn members(cluster: &Cluster, store: &dyn Store) -> Result<BTreeSet<Ipv4Addr>, StoreError> {
    let hosts = store.hosts()?;
    let staying = hosts.iter().filter(|h| h.enrolled.is_some() && !h.leaving);
    Ok(staying.filter_map(|h| underlay(cluster, &h.name)).collect())
}
