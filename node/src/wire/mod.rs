//! What nodes and the front-end say to each other: JSON over TLS.
//!
//! | request | from | body | answer |
//! |---|---|---|---|
//! | `GET /v1/node` | anybody | - | `landbridge-node` itself |
//! | `POST /v1/join` | a machine with a token; no client certificate | [`JoinRequest`] | [`Admission`] |
//! | `POST /v1/rejoin` | a worker, by its certificate | [`RejoinRequest`] | [`Bundle`] |
//! | `POST /v1/renew` | any node, by its certificate | [`RenewRequest`] | [`Identity`] |
//! | `POST /v1/stages` | a worker, by its certificate | [`StageNews`] | nothing |
//! | `GET /v1/orders?after=N` | a worker; answered at once or when something changes, at most 30 s later | - | [`Orders`] |
//! | `POST /v1/left` | a worker that has undone everything but its link | - | nothing |
//! | `POST /v1/taken-back` | a worker whose cloud takes its machine back | [`TakenBack`] | nothing |
//! | `GET /v1/fabric?after=N` | a host; answered like orders | - | [`FabricOrder`] |
//! | `POST /v1/fabric` | a host, after each apply and each repair | [`FabricReport`] | nothing |
//! | `POST /v1/load` | a host, twice a minute | [`HostLoad`] | nothing |
//!
//! The server's certificate chain ends with the authority's own certificate, so that the token's pin can be checked against
//! it. No name is checked: the extended key usage tells the front-end from every other member of the cluster, and an address
//! may be translated on the way.
//!
//! Every refusal is a [`Refusal`] with a 4xx status; a request's body is at most [`MAX_BODY`] bytes, an answer's [`MAX_ANSWER`].

mod bundle;
mod join;
mod plain;
mod refusal;
mod stage;
mod token;

pub use bundle::{Bundle, HostEntry, LinkBundle, NfsBundle, NisBundle, People, QueueBundle, SgeBundle};
pub use join::{
    Admission, FabricOrder, FabricReport, HostLoad, Identity, JoinRequest, MachineFacts, Orders, RejoinRequest,
    RenewRequest, Standing, TakenBack, Via,
};
pub use plain::plain;
pub use refusal::{Refusal, RefusalCode};
pub use stage::{CANARY_WORD, Failure, Outcome, Stage, StageNews, StageReport};
pub use token::{Token, TokenError};

/// The largest body in bytes that the front-end reads.
pub const MAX_BODY: usize = 64 * 1024;

/// The largest one that a node reads: a bundle with the domain's people in it.
pub const MAX_ANSWER: usize = 1024 * 1024;

/// The API's port unless cluster.toml says otherwise.
pub const API_PORT: u16 = 7443;
