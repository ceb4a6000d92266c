//! What a command can fail with, and what to do about it.

use std::path::PathBuf;

use miette::Diagnostic;

use crate::daemon::DaemonError;
use crate::frontend::KeysError;
use crate::store::StoreError;

/// An error with its remedy.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum CliError {
    /// The daemon doesn't answer.
    #[error("the landbridge daemon doesn't answer on {}", socket.display())]
    #[diagnostic(help("is this the front-end? `landbridge up` starts it; its log is /var/log/landbridge/daemon.log"))]
    NoDaemon {
        /// Where it should.
        socket: PathBuf,
    },
    /// The daemon's answer can't be used.
    #[error("talking to the landbridge daemon on {} failed", socket.display())]
    Http {
        /// Where it answers.
        socket: PathBuf,
        /// Why.
        source: reqwest::Error,
    },
    /// The daemon said no.
    #[error("{0}")]
    Refused(String),
    /// The cluster's file can't be read.
    #[error("reading {} failed", path.display())]
    #[diagnostic(help("`landbridge init` writes one to start from; `--file` names another"))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A worker template can't be read.
    #[error("reading the template {} failed", path.display())]
    #[diagnostic(help("name a file in OpenNebula's syntax or in TOML, or `-` for standard input"))]
    ReadTemplate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A worker template can't be written in OpenNebula's syntax.
    #[error("converting the template failed: {0}")]
    Inexpressible(#[from] crate::template::Inexpressible),
    /// A file has errors, which have been printed.
    #[error("{} has {errors} error{}", path.display(), if *errors == 1 { "" } else { "s" })]
    Findings {
        /// The file.
        path: PathBuf,
        /// How many.
        errors: usize,
    },
    /// Something would be lost.
    #[error("{what}")]
    Careful {
        /// What stands in the way.
        what: String,
        /// How to go on anyhow.
        #[help]
        remedy: String,
    },
    /// What the cluster needs is not on this machine. A line each.
    #[error("this machine can't be the front-end yet:\n{0}")]
    #[diagnostic(help("nothing was changed; `landbridge up` again when it is there"))]
    Obstacles(String),
    /// This machine can't be made what it should be.
    #[error("{operation} failed")]
    Machine {
        /// What was tried.
        operation: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A program that we called.
    #[error("{program} failed: {seen}")]
    Program {
        /// Its name.
        program: String,
        /// What it said.
        seen: String,
        /// What to do about it.
        #[help]
        remedy: String,
    },
    /// The keys.
    #[error("the keys")]
    Keys(#[from] KeysError),
    /// The daemon could not start.
    #[error("the daemon can't start")]
    Daemon(#[from] DaemonError),
    /// The store.
    #[error("the store")]
    Store(#[from] StoreError),
    /// The kernel.
    #[error("the operating system refused")]
    Io(#[from] std::io::Error),
}

impl CliError {
    /// Whether the person has been told already: findings are printed one by one, with a line that counts them.
    pub fn is_told(&self) -> bool {
        matches!(self, Self::Findings { .. })
    }
}
