//! The local API: what `landbridge` on the front-end asks the daemon, as JSON over HTTP on a unix socket of root's.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use jiff::Timestamp;
use landbridge_pki::NodeName;
use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

use super::answer::{Changed, Failed};
use super::converge::Health;
use super::{audit, boot, hosts, pki, report};
use crate::lifecycle::{Roster, TokenRequest};

/// How a worker is to go.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct DestroyRequest {
    /// Without waiting for its jobs.
    pub now: bool,
}

/// A token for a physical host.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct HostRequest {
    /// For how long it is good, in seconds.
    pub life_secs: u32,
}

/// How a host is to go.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct ForgetRequest {
    /// Without waiting for it to give its fabric back.
    #[serde(default)]
    force: bool,
}

type Door = State<Arc<Roster>>;
type Body = Extension<Arc<Health>>;
type Answer<T> = Result<Json<T>, Failed>;

/// Serves until `stop`.
pub(super) async fn serve(socket: UnixListener, roster: Arc<Roster>, health: Arc<Health>, stop: CancellationToken) {
    let served = axum::serve(socket, router(roster).layer(Extension(health)))
        .with_graceful_shutdown(async move { stop.cancelled().await });
    if let Err(error) = served.await {
        tracing::error!(%error, "the local API ended");
    }
}

fn router(roster: Arc<Roster>) -> Router {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/hosts", get(hosts))
        .route("/v1/hosts/{name}", post(add_host).delete(remove_host))
        .route("/v1/workers", get(workers))
        .route("/v1/workers/{name}", get(worker))
        .route("/v1/workers/{name}/drain", post(drain))
        .route("/v1/workers/{name}/resume", post(resume))
        .route("/v1/workers/{name}/destroy", post(destroy))
        .route("/v1/tokens", post(token))
        .route("/v1/events", get(events))
        .route("/v1/audit", get(audit))
        .route("/v1/audit/repair", post(repair))
        .route("/v1/pki", get(pki::show))
        .route("/v1/pki/check", get(pki::check))
        .route("/v1/pki/revoke", post(pki::revoke))
        .route("/v1/pki/rotate", post(pki::rotate))
        .merge(boot::routes())
        .with_state(roster)
}

async fn status(State(roster): Door, Extension(health): Body) -> Answer<impl Serialize> {
    Ok(Json(report::cluster(&roster, &health, Timestamp::now()).await?))
}

async fn hosts(State(roster): Door) -> Answer<impl Serialize> {
    Ok(Json(hosts::hosts(&roster, Timestamp::now())?))
}

async fn workers(State(roster): Door) -> Answer<impl Serialize> {
    Ok(Json(report::workers(&roster, Timestamp::now())?))
}

async fn worker(State(roster): Door, Path(name): Path<NodeName>) -> Answer<impl Serialize> {
    Ok(Json(report::worker(&roster, &name, Timestamp::now())?))
}

async fn add_host(
    State(roster): Door,
    Path(name): Path<NodeName>,
    Json(request): Json<HostRequest>,
) -> Answer<impl Serialize> {
    Ok(Json(roster.offer_host(&name, request.life_secs)?))
}

async fn remove_host(
    State(roster): Door,
    Path(name): Path<NodeName>,
    Query(request): Query<ForgetRequest>,
) -> Answer<Changed> {
    let changed = if request.force { roster.forget_host(&name).await? } else { roster.remove_host(&name).await? };
    Ok(Json(Changed { changed }))
}

async fn drain(State(roster): Door, Path(name): Path<NodeName>) -> Answer<Changed> {
    Ok(Json(Changed { changed: roster.drain(&name)? }))
}

async fn resume(State(roster): Door, Path(name): Path<NodeName>) -> Answer<Changed> {
    Ok(Json(Changed { changed: roster.resume_worker(&name).await? }))
}

async fn destroy(
    State(roster): Door,
    Path(name): Path<NodeName>,
    Json(request): Json<DestroyRequest>,
) -> Answer<Changed> {
    Ok(Json(Changed { changed: roster.destroy(&name, request.now)? }))
}

async fn token(State(roster): Door, Json(request): Json<TokenRequest>) -> Answer<impl Serialize> {
    Ok(Json(roster.offer(request).await?))
}

#[derive(Deserialize)]
struct Most {
    most: Option<u32>,
}

async fn events(State(roster): Door, Query(query): Query<Most>) -> Answer<impl Serialize> {
    Ok(Json(report::events(&roster, query.most.unwrap_or(20))?))
}

async fn audit(State(roster): Door) -> Answer<impl Serialize> {
    Ok(Json(audit::audit(&roster).await?))
}

async fn repair(State(roster): Door) -> Answer<impl Serialize> {
    Ok(Json(audit::repair(&roster).await?))
}
