//! Which request goes to which of the gate's questions.

use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use landbridge_node::wire::{Refusal, RefusalCode};
use landbridge_pki::Role;
use serde::Deserialize;

use super::body::{Answer, Refused, read};
use super::{Gate, Peer};

/// The peer of a connection, if it showed a certificate.
#[derive(Clone, Debug)]
pub(super) struct MaybePeer(pub(super) Option<Peer>);

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

type Caller = Extension<MaybePeer>;
type Door<G> = State<Arc<G>>;

pub(super) fn router<G: Gate>(gate: Arc<G>) -> Router {
    Router::new()
        .route("/v1/node", get(node::<G>))
        .route("/v1/join", post(join::<G>))
        .route("/v1/rejoin", post(rejoin::<G>))
        .route("/v1/renew", post(renew::<G>))
        .route("/v1/stages", post(stages::<G>))
        .route("/v1/orders", get(orders::<G>))
        .route("/v1/left", post(left::<G>))
        .route("/v1/taken-back", post(taken_back::<G>))
        .route("/v1/fabric", get(fabric::<G>).post(fabric_report::<G>))
        .route("/v1/load", post(load::<G>))
        .fallback(unknown)
        .with_state(gate)
}

async fn node<G: Gate>(State(gate): Door<G>) -> Result<impl IntoResponse, Refused> {
    Ok(([(CONTENT_TYPE, "application/octet-stream")], gate.node()?))
}

async fn join<G: Gate>(State(gate): Door<G>, request: Request) -> Answer<impl serde::Serialize> {
    Ok(Json(gate.join(read(request).await?).await?))
}

async fn rejoin<G: Gate>(
    State(gate): Door<G>,
    Extension(caller): Caller,
    request: Request,
) -> Answer<impl serde::Serialize> {
    let peer = caller.of(&[Role::Worker])?;
    Ok(Json(gate.rejoin(peer, read(request).await?).await?))
}

async fn renew<G: Gate>(
    State(gate): Door<G>,
    Extension(caller): Caller,
    request: Request,
) -> Answer<impl serde::Serialize> {
    let peer = caller.of(&[Role::Worker, Role::Host])?;
    Ok(Json(gate.renew(peer, read(request).await?).await?))
}

async fn stages<G: Gate>(State(gate): Door<G>, Extension(caller): Caller, request: Request) -> Answer<()> {
    let peer = caller.of(&[Role::Worker])?;
    Ok(Json(gate.stages(peer, read(request).await?).await?))
}

async fn orders<G: Gate>(
    State(gate): Door<G>,
    Extension(caller): Caller,
    Query(query): Query<After>,
) -> Answer<impl serde::Serialize> {
    Ok(Json(gate.orders(caller.of(&[Role::Worker])?, query.after).await?))
}

async fn left<G: Gate>(State(gate): Door<G>, Extension(caller): Caller) -> Answer<()> {
    Ok(Json(gate.left(caller.of(&[Role::Worker])?).await?))
}

async fn taken_back<G: Gate>(State(gate): Door<G>, Extension(caller): Caller, request: Request) -> Answer<()> {
    let peer = caller.of(&[Role::Worker])?;
    Ok(Json(gate.taken_back(peer, read(request).await?).await?))
}

async fn fabric<G: Gate>(
    State(gate): Door<G>,
    Extension(caller): Caller,
    Query(query): Query<After>,
) -> Answer<impl serde::Serialize> {
    Ok(Json(gate.fabric(caller.of(&[Role::Host])?, query.after).await?))
}

async fn fabric_report<G: Gate>(State(gate): Door<G>, Extension(caller): Caller, request: Request) -> Answer<()> {
    let peer = caller.of(&[Role::Host])?;
    Ok(Json(gate.fabric_report(peer, read(request).await?).await?))
}

async fn load<G: Gate>(State(gate): Door<G>, Extension(caller): Caller, request: Request) -> Answer<()> {
    let peer = caller.of(&[Role::Host])?;
    Ok(Json(gate.load(peer, read(request).await?).await?))
}

async fn unknown(request: Request) -> Answer<()> {
    Err(Refusal {
        code: RefusalCode::Malformed,
        message: format!("there is no {} {}", request.method(), request.uri().path()),
        remedy: "use the landbridge-node of this landbridge's version".into(),
    }
    .into())
}

impl MaybePeer {
    /// The peer, if its role is one of these.
    fn of(self, roles: &[Role]) -> Result<Peer, Refusal> {
        let stranger = |message: String| Refusal {
            code: RefusalCode::Stranger,
            message,
            remedy: "join first: landbridge token create, on the front-end, prints the line to run".into(),
        };
        match self.0 {
            None => Err(stranger("this request needs the certificate of a member of the cluster".into())),
            Some(peer) if roles.contains(&peer.certificate.role) => Ok(peer),
            Some(peer) => {
                let role = peer.certificate.role;
                Err(stranger(format!("{} is a {role}, which has no business here", peer.name())))
            }
        }
    }
}
