//! Certificates, for people: show, check, revoke, rotate.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use jiff::Timestamp;
use landbridge_node::machine::crash;
use landbridge_pki::NodeName;
use landbridge_pki::authority::{AuthorityError, Breakage, Leftovers, Record, Revocation, Rotation, RotationStatus};
use serde::{Deserialize, Serialize};

use super::answer::{Changed, Failed};
use crate::frontend;
use crate::lifecycle::{Roster, RosterError};

/// Every certificate, and how the authority stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PkiView {
    /// By name, then by age.
    pub certificates: Vec<Record>,
    /// The authority, and how far its rotation is.
    pub authority: RotationStatus,
}

/// Whom to lock out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RevokeRequest {
    /// Every certificate of this machine.
    pub name: NodeName,
}

/// A step of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RotateRequest {
    /// Make a new authority; both are trusted from now on.
    Begin,
    /// Trust only the new one; refused while somebody would be locked out.
    Finish,
    /// Trust only the new one, whoever is locked out.
    FinishAnyhow,
}

#[derive(Deserialize)]
pub(super) struct At {
    at: Timestamp,
}

type Door = State<Arc<Roster>>;

pub(super) async fn show(State(roster): Door) -> Result<Json<PkiView>, Failed> {
    let now = Timestamp::now();
    Ok(Json(roster.with_authority(|authority| {
        let register = authority.register();
        Ok::<_, RosterError>(PkiView { certificates: register.list(now)?, authority: register.rotation_status(now)? })
    })?))
}

pub(super) async fn check(State(roster): Door, Query(query): Query<At>) -> Result<Json<Vec<Breakage>>, Failed> {
    Ok(Json(roster.with_authority(|authority| authority.register().check(query.at)).map_err(RosterError::from)?))
}

/// Revoked, and the live session ended: the worker is out, though its record stays until it is destroyed.
pub(super) async fn revoke(State(roster): Door, Json(request): Json<RevokeRequest>) -> Result<Json<Changed>, Failed> {
    Ok(Json(Changed { changed: roster.revoke(&request.name).await? }))
}

pub(super) async fn rotate(
    State(roster): Door,
    Json(request): Json<RotateRequest>,
) -> Result<Json<RotationStatus>, Failed> {
    let now = Timestamp::now();
    match request {
        RotateRequest::Begin => begin(&roster, now)?,
        RotateRequest::Finish => finish(&roster, Leftovers::Refuse, now)?,
        RotateRequest::FinishAnyhow => finish(&roster, Leftovers::LockOut, now)?,
    }
    roster.trust_changed().await?;
    let status = roster.with_authority(|authority| authority.register().rotation_status(now));
    Ok(Json(status.map_err(RosterError::from)?))
}

fn begin(roster: &Roster, now: Timestamp) -> Result<(), RosterError> {
    let passphrase = frontend::read_passphrase(roster.paths())?;
    let begun = roster.with_authority(|authority| authority.rotate(&passphrase, now))?;
    if let Rotation::UnderWay(id) = begun {
        tracing::info!(%id, "a rotation is under way already");
    }
    Ok(())
}

fn finish(roster: &Roster, leftovers: Leftovers, now: Timestamp) -> Result<(), RosterError> {
    roster.with_authority(|authority| authority.register_mut().retire_old(leftovers, now))?;
    Ok(())
}

impl Roster {
    /// Locks a machine out: its token is void, its certificates are revoked, its session is ended, and the queue sends it no more
    /// jobs. `true` when something changed.
    pub async fn revoke(self: &Arc<Self>, name: &NodeName) -> Result<bool, RosterError> {
        if *name == self.cluster().front_end.name {
            return Err(RosterError::OwnCertificate(name.clone()));
        }
        let voided = self.store().void_token(name)?;
        let what = Revocation::Name(name.clone());
        let revoked = match self.with_authority(|authority| authority.register_mut().revoke(&what, Timestamp::now())) {
            // It never joined, and can't any more.
            Err(AuthorityError::UnknownName(_)) if voided => Vec::new(),
            revoked => revoked?,
        };
        crash::point();
        self.shut_out(name).await?;
        Ok(voided || !revoked.is_empty())
    }
}
