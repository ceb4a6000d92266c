//! What can go wrong in the roster.

use std::time::Duration;

use landbridge_pki::NodeName;

use crate::frontend::KeysError;
use crate::program::ProgramError;
use crate::provider::ProviderError;
use crate::scheduler::SchedulerError;
use crate::store::StoreError;
use crate::tunnel::TunnelError;

/// What the roster could not do.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// Nobody of that name.
    #[error("there is no {what} {name}")]
    Unknown {
        /// `worker` or `host`.
        what: &'static str,
        /// The name as given.
        name: NodeName,
    },
    /// Not in this state.
    #[error("{name} is {state}: {why}")]
    NotNow {
        /// Whom it concerns.
        name: NodeName,
        /// Where it is in its life.
        state: String,
        /// Why that doesn't go together.
        why: &'static str,
    },
    /// A cloud.
    #[error("{0} is a cloud and has no bridge: its workers come with --via tunnel")]
    NoBridge(NodeName),
    /// A host with workers behind it.
    #[error(
        "{name} has workers on it: {workers}; destroy them and wait until they are gone, or take it out anyway with --force"
    )]
    HasWorkers {
        /// The host.
        name: NodeName,
        /// Their names.
        workers: String,
    },
    /// The front-end's own certificate.
    #[error(
        "{0} is the front-end itself: nobody could join or renew any more; landbridge pki rotate replaces its keys"
    )]
    OwnCertificate(NodeName),
    /// Memory failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The host can't make machines.
    #[error("{0} makes no machines: the cluster's file names no such host, or no libvirt, driver or ec2 for it")]
    NoProvider(NodeName),
    /// No host can.
    #[error("no host of the cluster makes machines: give one libvirt, driver or ec2 in the cluster's file")]
    NoMaker,
    /// A provider failed.
    #[error("{0}; {remedy}", remedy = .0.remedy)]
    Provider(ProviderError),
    /// The program for the machines.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// What a machine would be told.
    #[error(transparent)]
    UserData(#[from] crate::bootstrap::TooLarge),
    /// A machine's console.
    #[error("keeping or reading the console in {} failed", path.display())]
    Console {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A host is silent.
    #[error("{host} did not say within {} s which machines it has", within.as_secs())]
    Unanswered {
        /// The host.
        host: NodeName,
        /// How long it was waited for.
        within: Duration,
    },
    /// The queue failed.
    #[error(transparent)]
    Scheduler(#[from] SchedulerError),
    /// The tunnel server failed.
    #[error(transparent)]
    Tunnel(#[from] TunnelError),
    /// The authority failed.
    #[error(transparent)]
    Authority(#[from] landbridge_pki::authority::AuthorityError),
    /// The authority's files failed.
    #[error(transparent)]
    Storage(#[from] landbridge_pki::authority::StorageError),
    /// A certificate was not issued.
    #[error(transparent)]
    Issue(#[from] landbridge_pki::authority::IssueError),
    /// The front-end's keys failed.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Its users and groups can't be read.
    #[error("reading the front-end's users and groups failed")]
    People(#[source] std::io::Error),
    /// The front-end's machine did not follow.
    #[error("the front-end's files and services did not follow the change: {0}")]
    Follow(String),
}

impl From<ProviderError> for RosterError {
    fn from(error: ProviderError) -> Self {
        Self::Provider(error)
    }
}
