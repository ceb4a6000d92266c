//! The second stage: a key is made here; a certificate and the bundle come back.

use crate::api::{ApiError, Client};
use crate::facts::{clock, machine_facts};
use crate::state::{Member, State};
use crate::wire::{Bundle, Failure, JoinRequest, RejoinRequest, Token, Via};
use crate::words;

use landbridge_pki::Role;

/// Asks for an identity with a token. The key is on disk before it is used: the same request can be sent again after a
/// crash, and the front-end answers it with the same identity.
pub async fn enrol(
    state: &State,
    client: &Client,
    token: &Token,
    role: Role,
    via: Option<Via>,
) -> Result<(Member, Option<Bundle>), Failure> {
    let local = |e: &(dyn std::error::Error + 'static)| words::local("a private key of this machine's own", e);
    let key = state.key_for_request().map_err(|e| local(&e))?;
    let request = JoinRequest {
        secret: token.secret_text(),
        role,
        via,
        csr_pem: key.csr_pem().map_err(|e| local(&e))?,
        clock: clock(),
        facts: machine_facts(),
    };
    let admission = client.join(&request).await.map_err(|e| refused(&e))?;
    if let Some(bundle) = &admission.bundle {
        state.keep_bundle(bundle).map_err(|e| words::local("to keep the bundle", &e))?;
    }
    let member = state.keep_identity(&admission.identity).map_err(|e| words::local("to keep the identity", &e))?;
    Ok((member, admission.bundle))
}

/// Says that a known worker is here again, and hears what it should have now.
pub async fn rejoin(state: &State, client: &Client) -> Result<Bundle, Failure> {
    let request = RejoinRequest { clock: clock(), facts: machine_facts() };
    let bundle = client.rejoin(&request).await.map_err(|e| refused(&e))?;
    state.keep_bundle(&bundle).map_err(|e| words::local("to keep the bundle", &e))?;
    Ok(bundle)
}

fn refused(error: &ApiError) -> Failure {
    match error {
        ApiError::Refused(refusal) => Failure {
            expected: "a certificate for this machine".into(),
            seen: refusal.message.clone(),
            remedy: refusal.remedy.clone(),
        },
        other => words::contact(other, None),
    }
}
