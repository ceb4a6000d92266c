//! The join API: HTTP over TLS, JSON inside; token and request in, certificate and bundle out.
//!
//! This module is the door: it limits size, time and number, finds out who is speaking, and hands every request to a
//! [`Gate`], which decides. The table of requests stands in [`landbridge_node::wire`].

mod accept;
mod body;
mod routes;
mod tls;

use std::future::Future;
use std::net::IpAddr;

use axum::body::Bytes;
use landbridge_node::wire::{
    Admission, Bundle, FabricOrder, FabricReport, HostLoad, Identity, JoinRequest, Orders, Refusal, RejoinRequest,
    RenewRequest, StageNews, TakenBack,
};
use landbridge_pki::{CertificateFacts, NodeName};

pub use accept::{Limits, serve};
pub use tls::{TlsError, TlsIdentity, server_config};

/// Who speaks, by the client certificate that rustls has verified against the cluster's authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// What the certificate says.
    pub certificate: CertificateFacts,
}

impl Peer {
    /// The machine's name.
    pub fn name(&self) -> &NodeName {
        &self.certificate.name
    }
}

/// Who decides about requests. Long polls (`orders`, `fabric`) answer when something is newer than `after`, at the latest
/// after half a minute.
pub trait Gate: Send + Sync + 'static {
    /// A machine at this address has said that it doesn't take the front-end's certificate.
    fn distrusted(&self, by: IpAddr);

    /// Anybody who wants `landbridge-node` as it belongs to this front-end. There is nothing secret in it.
    fn node(&self) -> Result<Bytes, Refusal>;

    /// A machine with a token.
    fn join(&self, request: JoinRequest) -> impl Future<Output = Result<Admission, Refusal>> + Send;

    /// A known worker that starts again.
    fn rejoin(&self, peer: Peer, request: RejoinRequest) -> impl Future<Output = Result<Bundle, Refusal>> + Send;

    /// A node that wants a new certificate.
    fn renew(&self, peer: Peer, request: RenewRequest) -> impl Future<Output = Result<Identity, Refusal>> + Send;

    /// A worker's word about stages of its join.
    fn stages(&self, peer: Peer, news: StageNews) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// A worker's orders.
    fn orders(&self, peer: Peer, after: u64) -> impl Future<Output = Result<Orders, Refusal>> + Send;

    /// A worker that has undone everything but its link.
    fn left(&self, peer: Peer) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// A worker whose cloud takes its machine back.
    fn taken_back(&self, peer: Peer, notice: TakenBack) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// A host's fabric.
    fn fabric(&self, peer: Peer, after: u64) -> impl Future<Output = Result<FabricOrder, Refusal>> + Send;

    /// What a host did and sees.
    fn fabric_report(&self, peer: Peer, report: FabricReport) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// How busy a host is.
    fn load(&self, peer: Peer, load: HostLoad) -> impl Future<Output = Result<(), Refusal>> + Send;
}
