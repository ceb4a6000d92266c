//! Whoever carries steps out: the kernel, or for tests a fake one.

mod fake;
mod faulty;

use std::future::Future;

pub use fake::Fake;
pub use faulty::{Fault, Faulty};

use crate::feature::Feature;
use crate::{InterfaceName, Observed, Step};

/// A machine's network, to look at and to change.
pub trait Backend: Send {
    /// Everything that is there now.
    fn observe(&mut self) -> impl Future<Output = Result<Observed, BackendError>> + Send;

    /// Carries out one step, or leaves everything as it was. It acts on the links of the last [`Self::observe`] and
    /// those it created since: a link that was replaced by somebody meanwhile is not touched.
    fn perform(&mut self, step: &Step) -> impl Future<Output = Result<(), BackendError>> + Send;

    /// Whether links that need `feature` can be made. Looking leaves nothing behind.
    fn supports(&mut self, feature: Feature) -> impl Future<Output = Result<bool, BackendError>> + Send;
}

/// An operation on a link that failed, or an observation. The cause is its source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("can't {operation} {object}")]
pub struct BackendError {
    /// What was tried: `create vxlan`.
    pub operation: String,
    /// On what: the link's name.
    pub object: String,
    /// Why not.
    #[source]
    pub cause: Refusal,
}

/// The kernel's no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// In the kernel's own words where it has some, and the meaning of the error's number.
    #[error("{}", in_words(message.as_deref(), *errno))]
    Kernel {
        /// The extended acknowledgement's text.
        message: Option<String>,
        /// The error's number, positive.
        errno: i32,
    },
    /// The link was not there at the last observation, or has lost its tag since.
    #[error("it, or a link that it needs, is not there, or not ours, any more")]
    Gone,
    /// The talk with the kernel broke off.
    #[error("the netlink connection failed: {0}")]
    Connection(String),
}

impl BackendError {
    /// The error of a step.
    pub fn of(step: &Step, cause: Refusal) -> Self {
        Self { operation: step.operation(), object: step.object().to_string(), cause }
    }

    /// The error of an operation on a link.
    pub fn on(operation: impl Into<String>, object: &InterfaceName, cause: Refusal) -> Self {
        Self { operation: operation.into(), object: object.to_string(), cause }
    }
}

impl Refusal {
    /// A refusal without words.
    pub fn errno(errno: nix::errno::Errno) -> Self {
        Self::Kernel { message: None, errno: errno as i32 }
    }

    /// Whether it is this error.
    pub fn is(&self, wanted: nix::errno::Errno) -> bool {
        matches!(self, Self::Kernel { errno, .. } if *errno == wanted as i32)
    }
}

fn in_words(message: Option<&str>, errno: i32) -> String {
    let meaning = nix::errno::Errno::from_raw(errno).desc();
    match message {
        Some(message) => format!("{} ({meaning})", message.trim_end_matches('.')),
        None => meaning.to_owned(),
    }
}
