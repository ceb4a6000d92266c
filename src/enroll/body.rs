//! Bodies: read with a limit on size and time, answered as JSON.

use std::time::Duration;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use landbridge_node::wire::{MAX_BODY, Refusal, RefusalCode};
use serde::de::DeserializeOwned;

/// How long a body may take to arrive as a whole.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// A handler's answer.
pub(super) type Answer<T> = Result<Json<T>, Refused>;

/// A refusal on its way out.
pub(super) struct Refused(Refusal);

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (status(self.0.code), Json(self.0)).into_response()
    }
}

fn status(code: RefusalCode) -> StatusCode {
    match code {
        RefusalCode::Malformed | RefusalCode::BadRequest | RefusalCode::ClockSkew => StatusCode::BAD_REQUEST,
        RefusalCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RefusalCode::TooSlow => StatusCode::REQUEST_TIMEOUT,
        RefusalCode::Busy => StatusCode::TOO_MANY_REQUESTS,
        RefusalCode::UnknownToken | RefusalCode::Stranger => StatusCode::UNAUTHORIZED,
        RefusalCode::ExpiredToken
        | RefusalCode::UsedToken
        | RefusalCode::WrongToken
        | RefusalCode::Revoked
        | RefusalCode::NoAddress => StatusCode::FORBIDDEN,
        RefusalCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Reads a body of at most [`MAX_BODY`] bytes as JSON.
pub(super) async fn read<T: DeserializeOwned>(request: Request) -> Result<T, Refusal> {
    let bytes = tokio::time::timeout(BODY_DEADLINE, to_bytes(request.into_body(), MAX_BODY))
        .await
        .map_err(|_| too_slow())?
        .map_err(|_| too_large())?;
    serde_json::from_slice(&bytes).map_err(|e| malformed(&e))
}

fn too_slow() -> Refusal {
    Refusal {
        code: RefusalCode::TooSlow,
        message: format!("the request's body took more than {} s to arrive", BODY_DEADLINE.as_secs()),
        remedy: "check the path to the front-end for loss".into(),
    }
}

fn too_large() -> Refusal {
    Refusal {
        code: RefusalCode::TooLarge,
        message: format!("the request's body is larger than {MAX_BODY} bytes, or was cut off"),
        remedy: "use landbridge-node; it never sends this much".into(),
    }
}

/// The parser's words have the place; what was sent (perhaps a secret) is not repeated.
fn malformed(error: &serde_json::Error) -> Refusal {
    let what = match error.classify() {
        serde_json::error::Category::Data => "has a field that is missing, unknown or of the wrong type",
        _ => "is no JSON",
    };
    Refusal {
        code: RefusalCode::Malformed,
        message: format!("the request's body {what} (line {}, column {})", error.line(), error.column()),
        remedy: "use the landbridge-node of this landbridge's version".into(),
    }
}
