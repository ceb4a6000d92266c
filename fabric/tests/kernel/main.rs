//! The real kernel, in a network namespace of its own for each test. `ip` and `bridge` judge. Needs root and iproute2.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod habits;
mod judge;
mod properties;
mod refusals;
mod routes;
mod speed;
