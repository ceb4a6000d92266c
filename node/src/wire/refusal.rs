//! Why the front-end said no.

use serde::{Deserialize, Serialize};

/// The front-end's refusal, in words for the person at the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// For programs.
    pub code: RefusalCode,
    /// What was refused and why, one sentence.
    pub message: String,
    /// What to do about it, one sentence.
    pub remedy: String,
}

/// The kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalCode {
    /// The body is not what the request's table says.
    Malformed,
    /// The body is larger than `MAX_BODY`, or the headers are.
    TooLarge,
    /// The request took too long to arrive.
    TooSlow,
    /// Too many at once.
    Busy,
    /// No token has this secret.
    UnknownToken,
    /// The token's time is over.
    ExpiredToken,
    /// Another key has used the token.
    UsedToken,
    /// The token is for another role or another way in.
    WrongToken,
    /// The CSR is not signed by its own key, or its key is of a kind that is not taken.
    BadRequest,
    /// The machine's clock lies before the certificate's start or after its end.
    ClockSkew,
    /// No client certificate, or one for another role.
    Stranger,
    /// The certificate was revoked, or its owner is no longer part of the cluster.
    Revoked,
    /// The address range is used up.
    NoAddress,
    /// Something failed on the front-end; its log says what.
    Internal,
}
