//! A host's join: contact and identity; its fabric comes as an order.

use landbridge_pki::{NodeName, Role};
use tokio::time::{Duration, Instant};

use crate::api::Client;
use crate::join::contact::contact;
use crate::join::identity::enrol;
use crate::state::{State, StateError};
use crate::wire::{Failure, Token};

/// How long the front-end is tried for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A host that has not joined.
#[derive(Debug, thiserror::Error)]
pub enum HostJoinError {
    /// Neither an identity nor a token.
    #[error("this host has no identity yet: give it a token (landbridge host add, on the front-end)")]
    NoToken,
    /// The front-end, or its refusal.
    #[error("{0}")]
    Refused(Failure),
    /// This machine's memory.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Enrols the host; its name, and whether it had one already (the token is then not used).
pub async fn join(state: &State, token: Option<&Token>) -> Result<(NodeName, bool), HostJoinError> {
    if let Some(member) = state.member()? {
        return Ok((member.facts.name, true));
    }
    let token = token.ok_or(HostJoinError::NoToken)?;
    let client = Client::with_pin(token.endpoint.into(), token.pin);
    contact(&client, Instant::now() + PATIENCE).await.map_err(|unreached| HostJoinError::Refused(unreached.failure))?;
    let enrolled = enrol(state, &client, token, Role::Host, None).await;
    let (member, _) = enrolled.map_err(HostJoinError::Refused)?;
    Ok((member.facts.name, false))
}
