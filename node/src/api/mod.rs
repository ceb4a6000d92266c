//! The node's side of the join API: one connection, one verifier, one error.

mod client;
mod connection;
mod error;
#[cfg(test)]
mod tests;
mod verify;

pub use client::{Client, Contact, ORDERS_WAIT};
pub use error::{ApiError, Distrust};
pub use verify::Trust;
