//! The roster behind the join API's door.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Bytes;
use landbridge_node::wire::{
    Admission, Bundle, FabricOrder, FabricReport, HostLoad, Identity, JoinRequest, Orders, Refusal, RejoinRequest,
    RenewRequest, StageNews, Standing, TakenBack,
};

use super::Roster;
use super::admit::{internal, outdated};
use crate::enroll::{Gate, Peer};
use crate::worker::{LeaveStep, WorkerState};

/// The roster as the door sees it.
pub struct Doorkeeper(pub Arc<Roster>);

impl Gate for Doorkeeper {
    fn distrusted(&self, by: IpAddr) {
        self.0.note_distrust(by);
    }

    fn node(&self) -> Result<Bytes, Refusal> {
        let program = self.0.node_program().map_err(|e| internal("reading landbridge-node", &e))?;
        Ok(program.bytes.clone())
    }

    async fn join(&self, request: JoinRequest) -> Result<Admission, Refusal> {
        self.0.join_now(request).await
    }

    async fn rejoin(&self, peer: Peer, request: RejoinRequest) -> Result<Bundle, Refusal> {
        self.0.rejoin_now(&peer, request).await
    }

    async fn renew(&self, peer: Peer, request: RenewRequest) -> Result<Identity, Refusal> {
        self.0.not_revoked(&peer)?;
        self.0.renew_now(&peer, &request)
    }

    async fn stages(&self, peer: Peer, news: StageNews) -> Result<(), Refusal> {
        self.0.hear(&peer, &news)
    }

    async fn orders(&self, peer: Peer, after: u64) -> Result<Orders, Refusal> {
        self.0.orders(&peer, after).await
    }

    async fn left(&self, peer: Peer) -> Result<(), Refusal> {
        let worker = self.0.speaker(&peer)?;
        self.0.hear_goodbye(&worker).map_err(Refusal::from)
    }

    async fn taken_back(&self, peer: Peer, notice: TakenBack) -> Result<(), Refusal> {
        let worker = self.0.speaker(&peer)?;
        self.0.taken_back(&worker, notice.at).map_err(Refusal::from)
    }

    async fn fabric(&self, peer: Peer, after: u64) -> Result<FabricOrder, Refusal> {
        self.0.not_revoked(&peer)?;
        self.0.fabric_order(&peer, after).await
    }

    async fn fabric_report(&self, peer: Peer, report: FabricReport) -> Result<(), Refusal> {
        self.0.not_revoked(&peer)?;
        self.0.hear_host(peer.name(), report).map_err(Refusal::from)
    }

    async fn load(&self, peer: Peer, load: HostLoad) -> Result<(), Refusal> {
        self.0.not_revoked(&peer)?;
        self.0.hear_load(peer.name(), load, jiff::Timestamp::now());
        Ok(())
    }
}

impl Roster {
    /// Whether a machine is to renew its certificate, and whom it is to trust.
    pub(super) fn keys_news(&self, peer: &Peer) -> (bool, String) {
        self.with_authority(|authority| {
            let register = authority.register();
            (outdated(register, &peer.certificate), register.trust_pem())
        })
    }

    /// A worker's orders, when there are newer ones than `after`, or when its patience ends.
    async fn orders(&self, peer: &Peer, after: u64) -> Result<Orders, Refusal> {
        let worker = self.speaker(peer)?;
        let recorded = |e| internal("recording the worker", &e);
        self.store.note_seen(worker.id, jiff::Timestamp::now()).map_err(recorded)?;
        let generation = self.bells.wait(peer.name(), after).await;
        // Asked anew: the wait may have been long.
        let worker = self.speaker(peer)?;
        let standing = match worker.state {
            WorkerState::Leaving(step) if step >= LeaveStep::Undo => Standing::Leave,
            _ => Standing::Stay,
        };
        let bundle =
            if generation == after || standing == Standing::Leave { None } else { Some(self.bundle(&worker)?) };
        let (renew, trust_pem) = self.keys_news(peer);
        Ok(Orders { generation, standing, bundle, canary: self.verdict(&worker), renew, trust_pem: Some(trust_pem) })
    }
}
