//! Tokens: a machine to be gets its name, its address and a secret that is worth one join.

use std::net::SocketAddrV4;
use std::sync::{Arc, PoisonError};

use ipnetwork::Ipv4Network;
use jiff::{SignedDuration, Timestamp};
use landbridge_node::machine::crash;
use landbridge_node::wire::{Token, Via};
use landbridge_pki::{NodeName, Pin};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};

use super::{Roster, RosterError};
use crate::spec::{Cluster, HostKind, RESERVED_NAMES};
use crate::store::{TokenHash, WorkerPlan};
use crate::worker::Worker;

/// A wish for a worker's token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenRequest {
    /// The worker's name; `None` takes the first free one.
    pub name: Option<NodeName>,
    /// How it will reach the vLAN.
    pub via: Via,
    /// Where it will run, when known.
    pub host: Option<NodeName>,
    /// Job slots; `None` takes one a processor.
    pub slots: Option<u32>,
    /// For how long the token is good, in seconds.
    pub life_secs: u32,
}

/// A token for a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Offer {
    /// The worker to be.
    pub name: NodeName,
    /// Its address, with the vLAN's prefix length.
    pub address: Ipv4Network,
    /// The token's text. Secret.
    pub token: String,
    /// Until when it is good.
    pub expires: Timestamp,
}

/// A token for a physical host.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HostOffer {
    /// The token's text. Secret.
    pub token: String,
    /// Until when it is good.
    pub expires: Timestamp,
}

/// 32 random bytes, and their hash.
pub(super) struct FreshSecret {
    pub(super) secret: [u8; 32],
    pub(super) hash: TokenHash,
}

impl FreshSecret {
    pub(super) fn new() -> Self {
        let mut secret = [0; 32];
        SystemRandom::new().fill(&mut secret).expect("the kernel's random numbers");
        Self { secret, hash: hash(&secret) }
    }
}

/// What is kept of a secret.
pub(super) fn hash(secret: &[u8]) -> TokenHash {
    digest(&SHA256, secret).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

impl Roster {
    /// Plans a worker and prepares the front-end for it, so that joining has only the machine's own part to wait for: its
    /// name resolves, the tunnel server admits it, the queue knows it (closed).
    pub async fn offer(self: &Arc<Self>, request: TokenRequest) -> Result<Offer, RosterError> {
        let cluster = self.cluster();
        if let Some(host) = &request.host {
            goes_there(&cluster, host, request.via)?;
        }
        let fresh = FreshSecret::new();
        let now = Timestamp::now();
        let expires = now + SignedDuration::from_secs(i64::from(request.life_secs));
        let via = request.via;
        let worker = self.store.plan_worker(
            &WorkerPlan {
                name: request.name,
                host: request.host,
                via,
                slots: request.slots,
                subnet: cluster.vlan.subnet,
                range: cluster.vlan.workers,
                reserved: reserved(&cluster),
                token: fresh.hash,
                token_expires: expires,
            },
            now,
        )?;
        crash::point();
        let is_new = worker.created.as_millisecond() == now.as_millisecond();
        let what = if is_new { "planned, with address" } else { "has a new token, and keeps its address" };
        self.note(&worker.name, &format!("{what} {}", worker.address));
        if let Err(error) = self.prepare(&worker).await {
            // Nothing half-planned: its name and address are free again.
            self.destroy(&worker.name, true)?;
            return Err(error);
        }
        let (address, token) = (with_prefix(&cluster, &worker), self.token(&worker, &fresh));
        Ok(Offer { name: worker.name, address, token: token.reveal(), expires })
    }

    /// A worker's token: where to go, whom to trust there, and the secret.
    pub(super) fn token(&self, worker: &Worker, fresh: &FreshSecret) -> Token {
        let cluster = self.cluster();
        Token {
            endpoint: endpoint(&cluster, worker.via),
            pin: self.pin(),
            secret: fresh.secret,
            address: (worker.via == Via::Bridge).then(|| with_prefix(&cluster, worker)),
        }
    }

    /// Makes a token for a physical host that stands in the cluster's file.
    pub fn offer_host(&self, name: &NodeName, life_secs: u32) -> Result<HostOffer, RosterError> {
        let cluster = self.cluster();
        let known = cluster.hosts.iter().any(|h| h.name == *name && matches!(h.kind, HostKind::Physical(_)));
        if !known {
            return Err(RosterError::Unknown { what: "physical host", name: name.clone() });
        }
        let fresh = FreshSecret::new();
        let expires = Timestamp::now() + SignedDuration::from_secs(i64::from(life_secs));
        self.store.plan_host(name, fresh.hash, expires)?;
        let endpoint = SocketAddrV4::new(cluster.front_end.underlay, cluster.front_end.api_port);
        let pin = self.pin();
        let token = Token { endpoint, pin, secret: fresh.secret, address: None };
        Ok(HostOffer { token: token.reveal(), expires })
    }

    /// The hash that first contacts check the authority by.
    fn pin(&self) -> Pin {
        self.with_authority(|authority| authority.register().pins()[0])
    }

    /// The front-end's side of a worker that joins now, unless that was done already and nothing has failed since. How many
    /// slots it gets may have become known only now.
    pub(super) async fn prepare_once(&self, worker: &Worker) -> Result<(), RosterError> {
        let known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).get(&worker.id).copied();
        match known {
            Some(slots) if slots == worker.slots => Ok(()),
            Some(_) => self.prepare_queue(worker).await,
            None => self.prepare(worker).await,
        }
    }

    /// The front-end may not be as this worker needs it any more.
    pub(super) fn unprepared(&self, id: i64) {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// The front-end's side of a worker, before and after its machine turns up. Twice is once.
    pub(super) async fn prepare(&self, worker: &Worker) -> Result<(), RosterError> {
        self.follow.follow().await.map_err(RosterError::Follow)?;
        crash::point();
        if worker.via == Via::Tunnel {
            self.tunnel.admit(&worker.name, with_prefix(&self.cluster(), worker))?;
            crash::point();
        }
        self.prepare_queue(worker).await
    }

    async fn prepare_queue(&self, worker: &Worker) -> Result<(), RosterError> {
        self.queue.admit(&worker.host_entry(), worker.slots).await?;
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).insert(worker.id, worker.slots);
        crash::point();
        Ok(())
    }
}

/// Whether a worker can be there by this way: a cloud has no bridge. Behind a tunnel it may be anywhere.
fn goes_there(cluster: &Cluster, host: &NodeName, via: Via) -> Result<(), RosterError> {
    let known = cluster.hosts.iter().find(|known| known.name == *host);
    let known = known.ok_or_else(|| RosterError::Unknown { what: "host", name: host.clone() })?;
    if via == Via::Bridge && matches!(known.kind, HostKind::Cloud(_)) {
        return Err(RosterError::NoBridge(host.clone()));
    }
    Ok(())
}

/// Names that a worker can't have.
pub(super) fn reserved(cluster: &Cluster) -> Vec<NodeName> {
    let meant = RESERVED_NAMES.iter().filter_map(|name| NodeName::new(*name).ok());
    cluster.hosts.iter().map(|h| h.name.clone()).chain([cluster.front_end.name.clone()]).chain(meant).collect()
}

/// A worker's address with the vLAN's prefix length.
pub(super) fn with_prefix(cluster: &Cluster, worker: &Worker) -> Ipv4Network {
    Ipv4Network::new(worker.address, cluster.vlan.subnet.prefix()).expect("a prefix length from a network")
}

/// A worker behind a tunnel starts from outside; one on a bridge has only the vLAN.
fn endpoint(cluster: &Cluster, via: Via) -> SocketAddrV4 {
    let address = match via {
        Via::Tunnel => cluster.front_end.public,
        Via::Bridge => cluster.vlan.front_end().ip(),
    };
    SocketAddrV4::new(address, cluster.front_end.api_port)
}
