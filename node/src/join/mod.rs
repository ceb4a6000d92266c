//! The per-worker join: from a token, or an identity from before, to a ready worker.

pub mod address;
mod canary;
pub mod contact;
pub mod identity;
mod journey;
mod keep;
pub mod link;
mod modules;
mod mtu;
pub mod nfs;
pub mod nis;
mod people;
mod plan;
pub mod progress;
pub mod queue;
mod reporter;
mod services;
pub mod stages;
#[cfg(test)]
mod stages_tests;
pub mod tunnel_log;
mod walk;
mod worker;

pub use journey::StageFailed;
pub use keep::{Kept, keep};
pub use plan::{Options, PlanError, Start};
pub use walk::{Joined, join};
pub use worker::Worker;
