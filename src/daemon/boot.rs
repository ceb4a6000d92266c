//! The local API's part about machines.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use landbridge_pki::NodeName;
use serde::{Deserialize, Serialize};

use super::answer::Failed;
use super::deploy;
use crate::lifecycle::{BootAnswer, BootRequest, Roster, RosterError};
use crate::view::DeployView;

/// What a worker's machine wrote to its console.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConsoleView {
    /// The latest of it; `None` where there is none.
    pub text: Option<String>,
}

type Door = State<Arc<Roster>>;

pub(super) fn routes() -> Router<Arc<Roster>> {
    Router::new()
        .route("/v1/boot", post(boot))
        .route("/v1/workers/{name}/console", get(console))
        .route("/v1/report/deploy", get(report))
}

async fn boot(State(roster): Door, Json(request): Json<BootRequest>) -> Result<Json<BootAnswer>, Failed> {
    Ok(Json(roster.boot(request).await?))
}

async fn console(State(roster): Door, Path(name): Path<NodeName>) -> Result<Json<ConsoleView>, Failed> {
    let found = roster.store().worker(&name)?;
    let worker = found.ok_or_else(|| RosterError::Unknown { what: "worker", name: name.clone() })?;
    Ok(Json(ConsoleView { text: roster.console(&worker).await? }))
}

async fn report(State(roster): Door) -> Result<Json<DeployView>, Failed> {
    Ok(Json(deploy::deploys(&roster)?))
}
