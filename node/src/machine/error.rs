//! What can go wrong, each with its operation, its object and its cause.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use landbridge_fabric::JournalError;

use super::lock::LockError;
use super::{Key, Plan};

/// Why a machine can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process is changing it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The engine's own directories can't be made.
    #[error("making the directories of the machine's ledger")]
    Place(#[source] io::Error),
    /// What was made can't be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Steps that a crash interrupted can't be undone.
    #[error(transparent)]
    Recover(#[from] UndoError),
}

/// The ledger can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The ledger itself.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The files that are kept beside it.
    #[error("removing what need not be kept any longer in {}", path.display())]
    Kept {
        /// Where they are.
        path: PathBuf,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

/// Why there is no plan. Nothing has been changed.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// What is there can't be seen.
    #[error(transparent)]
    Observe(#[from] StepError),
    /// What is wanted can't be made here.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Conflicts(Vec<Conflict>),
}

/// A resource that can't be made as things are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {why}")]
pub struct Conflict {
    /// Which.
    pub key: Key,
    /// What stands against it, and the remedy.
    pub why: String,
}

/// A step that failed.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {object}")]
pub struct StepError {
    /// What was tried.
    pub operation: &'static str,
    /// On what.
    pub object: String,
    /// Why it failed.
    #[source]
    pub cause: Cause,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The kernel refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A program did not succeed.
    #[error("{program} ended with {status}{}", last_words(tail))]
    Failed {
        /// The program.
        program: String,
        /// Its exit status in words.
        status: String,
        /// The end of its output.
        tail: String,
    },
    /// A program that should keep running has ended.
    #[error("{program} ended before it was ready{}", last_words(tail))]
    Ended {
        /// The program.
        program: String,
        /// The end of its output.
        tail: String,
    },
    /// It took too long.
    #[error("not done after {}{}", seconds(*after), last_words(tail))]
    Deadline {
        /// How long it was given.
        after: Duration,
        /// The end of the program's output.
        tail: String,
    },
    /// A program that is not on this machine.
    #[error("there is no program {0}; install the package that brings it")]
    NoProgram(String),
    /// Anything else, in plain words with the remedy.
    #[error("{0}")]
    Refused(String),
    /// The network crate's refusal.
    #[error(transparent)]
    Network(Box<dyn std::error::Error + Send + Sync>),
    /// The ledger couldn't take the step.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

fn last_words(tail: &str) -> String {
    if tail.is_empty() { String::new() } else { format!("; its last words:\n{tail}") }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

impl StepError {
    pub(super) fn new(operation: &'static str, object: impl Into<String>, cause: impl Into<Cause>) -> Self {
        Self { operation, object: object.into(), cause: cause.into() }
    }

    pub(super) fn refused(operation: &'static str, object: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(operation, object, Cause::Refused(why.into()))
    }

    /// For `map_err` on what the file system answers.
    pub(super) fn io(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::new(operation, path.display().to_string(), source)
    }
}

/// Steps that could not be undone. They stay in the ledger and are tried again when the machine is opened.
#[derive(Debug, thiserror::Error)]
#[error("could not be undone:\n{}", list(.0))]
pub struct UndoError(pub Vec<StepError>);

/// One error and all its causes on a line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn list(errors: &[StepError]) -> String {
    errors.iter().map(|error| format!("  {}", chain(error))).collect::<Vec<_>>().join("\n")
}

/// Why a machine isn't as it should be.
#[derive(Debug, thiserror::Error)]
pub enum ConvergeError {
    /// There is no plan; nothing has been changed.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Steps that a crash interrupted can't be undone; nothing else has been changed.
    #[error(transparent)]
    Recover(#[from] UndoError),
    /// A step failed, and this run's steps were undone.
    #[error("{step} failed; {}", undone(undo))]
    Step {
        /// The step's line in the plan.
        step: String,
        /// Why.
        #[source]
        cause: StepError,
        /// What could not be undone.
        undo: Vec<StepError>,
    },
    /// Every step succeeded, and still this would have to be done: somebody else works against us.
    #[error("done, but it does not stay so; this is still to do:\n{0}")]
    Drift(Plan),
    /// The ledger can't be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

fn undone(errors: &[StepError]) -> String {
    if errors.is_empty() {
        "everything that this run had changed is as before".into()
    } else {
        format!("this could not be undone:\n{}", list(errors))
    }
}
