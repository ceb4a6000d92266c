//! What can go wrong in a lab.

use std::fmt;
use std::io;
use std::time::Duration;

/// The result of everything that the lab does.
pub type LabResult<T> = Result<T, LabError>;

/// What went wrong, and where.
#[derive(thiserror::Error)]
pub enum LabError {
    /// Something that a script makes is not there.
    #[error("the lab needs {what}: run {remedy}")]
    Missing {
        /// What.
        what: String,
        /// The command that makes it.
        remedy: &'static str,
    },
    /// Namespaces need root.
    #[error("the lab needs root: it makes network namespaces and mounts")]
    NotRoot,
    /// The drawing can't be built.
    #[error("{message}")]
    Plan {
        /// Why.
        message: String,
    },
    /// The kernel refused something.
    #[error("{operation} {object}: {source}")]
    Io {
        /// What was tried.
        operation: String,
        /// On what.
        object: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A machine did not come up, or is gone.
    #[error("machine {machine} {what}\n{console}")]
    Machine {
        /// Which.
        machine: String,
        /// What happened.
        what: String,
        /// The end of its console.
        console: String,
    },
    /// A machine's agent could not do what was asked.
    #[error("on {machine}: {message}")]
    Agent {
        /// Which machine.
        machine: String,
        /// The agent's words.
        message: String,
    },
    /// Something took too long.
    #[error("on {machine}: {what} took longer than {patience:?}{seen}")]
    Deadline {
        /// Which machine.
        machine: String,
        /// What.
        what: String,
        /// How long it was waited for.
        patience: Duration,
        /// What was seen until then.
        seen: String,
    },
    /// A program ended otherwise than expected.
    #[error("on {machine}: `{command}` ended with status {status}{seen}")]
    Command {
        /// Which machine.
        machine: String,
        /// The command line.
        command: String,
        /// Its exit status, or 128 + the signal.
        status: i32,
        /// Its output.
        seen: String,
    },
}

/// The words for people: a test that returns an error shows it in this form.
impl fmt::Debug for LabError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// For `map_err`: names the operation and its object.
pub(crate) fn io_error(operation: &str, object: &str) -> impl FnOnce(io::Error) -> LabError {
    let (operation, object) = (operation.to_owned(), object.to_owned());
    move |source| LabError::Io { operation, object, source }
}
