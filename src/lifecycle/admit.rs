//! Joining: a token and a request become a certificate and a bundle.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use landbridge_node::machine::crash;
use landbridge_node::wire::{
    Admission, Bundle, Identity, JoinRequest, MachineFacts, Refusal, RefusalCode, RejoinRequest, RenewRequest, Stage,
    Via,
};
use landbridge_pki::authority::{CertificateSpec, Register, pin_of_request};
use landbridge_pki::{CertificateFacts, NodeName, Role, Serial};

use super::token::hash;
use super::{Roster, RosterError, refuse};
use crate::enroll::Peer;
use crate::store::{KeyHash, StoreError, TokenHash};
use crate::worker::{Worker, WorkerState};

impl Roster {
    /// A machine with a token. A refusal is told on both sides.
    pub(super) async fn join_now(self: &Arc<Self>, request: JoinRequest) -> Result<Admission, Refusal> {
        let token = hash(&URL_SAFE_NO_PAD.decode(&request.secret).unwrap_or_default());
        let calls_itself = request.facts.hostname.clone();
        let admitted = self.redeem(token, request).await;
        if let Err(refusal) = &admitted
            && let Err(error) = self.note_refusal(token, &calls_itself, refusal)
        {
            tracing::error!(error = &error as &dyn std::error::Error, "a refusal was not recorded");
        }
        admitted
    }

    async fn redeem(self: &Arc<Self>, token: TokenHash, request: JoinRequest) -> Result<Admission, Refusal> {
        let now = Timestamp::now();
        refuse::clock(request.clock, now)?;
        let key = pin_of_request(&request.csr_pem).map_err(|e| refuse::request(&e))?;
        let redeemed = self
            .store
            .redeem(token, request.role, request.via, key, now)
            .map_err(|e| internal("looking up the token", &e))?
            .map_err(|r| refuse::token(r, now))?;
        crash::point();
        match (request.role, request.via) {
            (Role::Worker, Some(via)) => {
                let worker = self.member(&redeemed.name)?;
                let identity =
                    self.identity(&redeemed.name, Role::Worker, &request.csr_pem, key, Right::Token(token))?;
                let bundle = self.begin(worker, &request.facts).await?;
                self.note(&redeemed.name, &format!("joins {}", words(via, redeemed.again)));
                Ok(Admission { identity, bundle: Some(bundle) })
            }
            (Role::Host, None) => {
                let identity = self.identity(&redeemed.name, Role::Host, &request.csr_pem, key, Right::Token(token))?;
                self.enrol(&redeemed.name, request.facts).await.map_err(|e| internal("enrolling the host", &e))?;
                Ok(Admission { identity, bundle: None })
            }
            _ => Err(malformed("a join is a worker's with a way in, or a host's without")),
        }
    }

    pub(super) async fn rejoin_now(self: &Arc<Self>, peer: &Peer, request: RejoinRequest) -> Result<Bundle, Refusal> {
        refuse::clock(request.clock, Timestamp::now())?;
        let worker = self.speaker(peer)?;
        if is_the_same_boot(&worker, &request.facts) {
            // It was proved since it booted, and its jobs run: joining twice is joining once.
            return self.bundle(&worker).map_err(|e| internal("writing the worker's configuration", &e));
        }
        let bundle = self.begin(worker, &request.facts).await?;
        self.note(peer.name(), "joins again");
        Ok(bundle)
    }

    pub(super) fn renew_now(&self, peer: &Peer, request: &RenewRequest) -> Result<Identity, Refusal> {
        let key = pin_of_request(&request.csr_pem).map_err(|e| refuse::request(&e))?;
        let right = Right::Certificate(peer.certificate.serial);
        let identity = self.identity(peer.name(), peer.certificate.role, &request.csr_pem, key, right)?;
        self.note(peer.name(), "renewed its certificate");
        Ok(identity)
    }

    /// A new attempt: the front-end's side is prepared (again), and the worker gets its bundle.
    async fn begin(&self, worker: Worker, facts: &MachineFacts) -> Result<Bundle, Refusal> {
        let now = Timestamp::now();
        let stored = |e: StoreError| internal("recording the join", &e);
        let slots = facts.cpus.max(1);
        if is_another_boot(&worker, facts) {
            self.forget_daemon(&worker).await.map_err(|e| internal("making the queue forget the worker", &e))?;
        }
        self.store.begin_attempt(worker.id, facts, slots, now).map_err(stored)?;
        crash::point();
        self.advance(&worker, WorkerState::Joining(Stage::Identity))?;
        self.forget_verdict(&worker.name);
        self.goodbyes.forget(worker.id);
        let worker = self.member(&worker.name)?;
        self.prepare_once(&worker).await.map_err(|e| internal("preparing the front-end for the worker", &e))?;
        let bundle = self.bundle(&worker).map_err(|e| internal("writing the worker's configuration", &e))?;
        crash::point();
        Ok(bundle)
    }

    /// The queue master would send jobs to the execution daemon of before, over a connection that is dead. Jobs that ran there
    /// would be deleted with it: while the queue has some, the new daemon is left to tell of their end, so that those that may
    /// run again do.
    async fn forget_daemon(&self, worker: &Worker) -> Result<(), RosterError> {
        self.unprepared(worker.id);
        if let Err(error) = self.queue.hang_up(&worker.host_entry()).await {
            tracing::warn!(name = %worker.name, error = &error as &dyn std::error::Error, "dead connections may stay");
        }
        if self.queue.running(&worker.name).await? == 0 {
            self.queue.remove(&worker.name).await?;
            crash::point();
        }
        Ok(())
    }

    /// A certificate for this key: the one that an interrupted join got already, else a new one. The right to it is looked at
    /// where no revocation can come in between.
    fn identity(
        &self,
        name: &NodeName,
        role: Role,
        csr_pem: &str,
        key: KeyHash,
        right: Right,
    ) -> Result<Identity, Refusal> {
        let now = Timestamp::now();
        let issued = self.with_authority(|authority| {
            let register = authority.register();
            let holds = match right {
                Right::Token(token) => self.store.token_owner(token)?.as_ref() == Some(name),
                Right::Certificate(serial) => !register.revoked(serial)?,
            };
            if !holds {
                return Ok(None);
            }
            let current = register.current(name, now)?;
            let same = current.filter(|c| c.spki_sha256 == key && !outdated(register, c));
            let certificate_pem = match same {
                Some(same) => register.certificate_pem(same.serial)?,
                None => authority.issue(csr_pem, &CertificateSpec::new(name.clone(), role), now)?.pem,
            };
            Ok::<_, RosterError>(Some((certificate_pem, authority.register().trust_pem())))
        });
        let issued = issued.map_err(|e| internal("issuing the certificate", &e))?;
        let (certificate_pem, trust_pem) = issued.ok_or_else(|| refuse::revoked(name))?;
        crash::point();
        let cluster = self.cluster();
        let port = cluster.front_end.api_port;
        let api = match role {
            Role::Host => vec![cluster.front_end.underlay],
            _ => vec![cluster.vlan.front_end().ip(), cluster.front_end.public],
        };
        let api = api.into_iter().map(|address| format!("{address}:{port}")).collect();
        Ok(Identity { cluster: cluster.name.to_string(), name: name.clone(), certificate_pem, trust_pem, api })
    }

    /// The worker of that name, if it may join.
    fn member(&self, name: &NodeName) -> Result<Worker, Refusal> {
        match self.store.worker(name).map_err(|e| internal("looking up the worker", &e))? {
            Some(worker) if worker.state.may_join() => Ok(worker),
            Some(_) => Err(refuse::leaving(name)),
            None => Err(refuse::revoked(name)),
        }
    }

    /// The worker who speaks, if its certificate still counts.
    pub(super) fn speaker(&self, peer: &Peer) -> Result<Worker, Refusal> {
        self.not_revoked(peer)?;
        match self.store.worker(peer.name()).map_err(|e| internal("looking up the worker", &e))? {
            Some(worker) if worker.state.is_alive() => Ok(worker),
            _ => Err(refuse::revoked(peer.name())),
        }
    }

    pub(super) fn not_revoked(&self, peer: &Peer) -> Result<(), Refusal> {
        let revoked = self.with_authority(|authority| authority.register().revoked(peer.certificate.serial));
        let revoked = revoked.map_err(|e| internal("looking up the certificate", &e))?;
        if revoked { Err(refuse::revoked(peer.name())) } else { Ok(()) }
    }
}

/// What a machine gets a certificate for.
#[derive(Clone, Copy)]
enum Right {
    /// A token that it has redeemed, and that nobody has voided since.
    Token(TokenHash),
    /// A certificate of this serial that isn't revoked.
    Certificate(Serial),
}

/// Whether the worker's machine has joined before, and was started anew since.
fn is_another_boot(worker: &Worker, facts: &MachineFacts) -> bool {
    worker.facts.as_ref().is_some_and(|f| f.boot_id != facts.boot_id)
}

/// Whether the worker has become ready since its machine booted, and is still.
fn is_the_same_boot(worker: &Worker, facts: &MachineFacts) -> bool {
    let known = worker.facts.as_ref().is_some_and(|f| f.boot_id == facts.boot_id && !f.boot_id.is_empty());
    known && worker.state.was_proved()
}

/// Whether the authority was rotated since the certificate was issued.
pub(super) fn outdated(register: &Register, certificate: &CertificateFacts) -> bool {
    certificate.superseded_by_rotation(&register.trust_pem()).unwrap_or(false)
}

fn words(via: Via, again: bool) -> &'static str {
    match (via, again) {
        (Via::Tunnel, false) => "through a tunnel",
        (Via::Bridge, false) => "through a bridge",
        (Via::Tunnel, true) => "through a tunnel, after an interrupted try",
        (Via::Bridge, true) => "through a bridge, after an interrupted try",
    }
}

fn malformed(message: &str) -> Refusal {
    Refusal {
        code: RefusalCode::Malformed,
        message: message.into(),
        remedy: "use the landbridge-node of this landbridge's version".into(),
    }
}

pub(super) fn internal(operation: &str, error: &(dyn std::error::Error + 'static)) -> Refusal {
    refuse::internal(operation, error)
}

impl From<RosterError> for Refusal {
    fn from(error: RosterError) -> Self {
        internal("the request", &error)
    }
}
