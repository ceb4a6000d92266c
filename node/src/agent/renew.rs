//! A new certificate at two thirds of the old one's life.

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use tokio::time::Duration;

use crate::api::{ApiError, Client};
use crate::state::{Member, State, StateError};
use crate::wire::{Identity, RenewRequest};

/// A machine's clock may be set while we wait: no longer than this without another look.
const LOOK_AGAIN: Duration = Duration::from_hours(1);

/// How long until the renewal is due by the certificate's age; zero when it is.
pub fn due_in(member: &Member) -> Duration {
    let left = member.facts.renewal_from().duration_since(Timestamp::now());
    Duration::try_from(left).unwrap_or(Duration::ZERO).min(LOOK_AGAIN)
}

/// Whether the renewal is due by the certificate's age.
pub fn is_due(member: &Member) -> bool {
    member.facts.renewal_due(Timestamp::now())
}

/// A certificate that could not be renewed; the old one is still good for a third of its life.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// The front-end.
    #[error("asking for a new certificate")]
    Api(#[from] ApiError),
    /// This machine's memory.
    #[error(transparent)]
    State(#[from] StateError),
    /// The new key.
    #[error("making a new key")]
    Key(#[from] landbridge_pki::KeyError),
}

/// Renews with a new key. What comes back is kept; a crash at any point leaves the old or the new identity whole.
pub async fn renew(state: &State, client: &Client) -> Result<Member, RenewError> {
    let key = state.key_for_request()?;
    let identity = client.renew(&RenewRequest { csr_pem: key.csr_pem()? }).await?;
    Ok(state.keep_identity(&identity)?)
}

/// Takes over whom to trust. The member as it then is, when that is news.
pub fn trust(state: &State, member: &Member, trust_pem: Option<String>) -> Result<Option<Member>, StateError> {
    let Some(trust_pem) = trust_pem.filter(|pem| *pem != member.identity.trust_pem) else { return Ok(None) };
    let identity = Identity { trust_pem, ..member.identity.clone() };
    state.keep_identity(&identity).map(Some)
}

/// A client for a member.
pub fn client(member: &Member) -> Result<Client, ApiError> {
    Client::with_identity(&member.identity, member.key_pem.expose_secret())
}
