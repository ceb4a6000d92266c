//! A lab that stays: a process holds it, and people enter its machines. Program `landbridge-lab`.
//!
//! The holder listens on an abstract socket (a name without a file), so that nothing is left when it is killed. Only root may
//! speak to it.

pub mod client;
mod message;
pub mod server;
mod socket;
mod terminal;

use std::io;

pub use socket::names;

/// What can go wrong with a lab that stays.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// There is no lab of this name.
    #[error("no lab named {name} is up (`landbridge-lab list` shows those that are)")]
    NoSuchLab {
        /// The name.
        name: String,
    },
    /// The name is taken.
    #[error("a lab named {name} is up already (`landbridge-lab down --name {name}` takes it down)")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// There is no topology of this name.
    #[error("there is no topology named {name}; there are: {known}")]
    NoSuchScenario {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// The holder ended before its lab was up.
    #[error("the lab did not come up")]
    NotUp,
    /// The holder refused.
    #[error("{0}")]
    Refused(String),
    /// Building the lab failed.
    #[error("building the lab: {0}")]
    Scenario(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Something of the operating system failed.
    #[error("{operation}: {source}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

/// For `map_err`: names the operation.
fn io_error(operation: &'static str) -> impl FnOnce(io::Error) -> HoldError {
    move |source| HoldError::Io { operation, source }
}
