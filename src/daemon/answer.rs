//! What every request of the local API may be answered with: what a change changed, or a refusal.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::converge::words;
use crate::lifecycle::RosterError;
use crate::store::StoreError;

/// What a change changed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Changed {
    /// `false`: it was so already.
    pub changed: bool,
}

/// A refusal of the local API.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LocalError {
    /// In words.
    pub message: String,
}

/// An error on its way out.
pub(super) struct Failed(RosterError);

impl From<RosterError> for Failed {
    fn from(error: RosterError) -> Self {
        Self(error)
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let status = match self.0 {
            RosterError::Unknown { .. } => StatusCode::NOT_FOUND,
            RosterError::NotNow { .. }
            | RosterError::HasWorkers { .. }
            | RosterError::NoBridge(_)
            | RosterError::OwnCertificate(_) => StatusCode::CONFLICT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(LocalError { message: words(&self.0) })).into_response()
    }
}
