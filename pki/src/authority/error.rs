//! What can go wrong with an authority.

use std::path::PathBuf;

use jiff::Timestamp;

use super::StorageError;
use crate::{AuthorityId, KeyError, NodeName, Serial};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why an authority can't be created, opened or changed.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file could not be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// There is no authority in the directory.
    #[error("there is no certificate authority in {0}: create one with `landbridge up`, or restore the directory")]
    NotThere(PathBuf),
    /// Another process has it open.
    #[error("the certificate authority in {0} is in use by another process: ask the running daemon, or stop it first")]
    InUse(PathBuf),
    /// Others can read or write what they must not.
    #[error(
        "{path} has mode {mode:03o}, so that other users can reach it: `chmod {wanted:03o} {path}`, once you know why"
    )]
    Exposed {
        /// What is open to others.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode that it should have.
        wanted: u32,
    },
    /// The key does not open.
    #[error("the passphrase does not open {0} (if it is surely the right one, the file is damaged: restore it)")]
    WrongPassphrase(PathBuf),
    /// A new key under an empty passphrase would not be encrypted at rest.
    #[error("the passphrase of a certificate authority must not be empty")]
    EmptyPassphrase,
    /// The directory is another cluster's.
    #[error("the certificate authority in {path} is of the cluster {found:?}, not {wanted:?}: use another directory")]
    OtherCluster {
        /// The directory.
        path: PathBuf,
        /// The cluster it was created for.
        found: String,
        /// The cluster it was wanted for.
        wanted: String,
    },
    /// A name that can't stand in a certificate.
    #[error("{0:?} can't be a cluster's name in a certificate: use 1 to 61 printable ASCII characters")]
    ClusterName(String),
    /// A file is there, and is not what it should be.
    #[error("{path} is unusable ({what}): {remedy}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
        /// What to do about it.
        remedy: &'static str,
        /// The cause, where there is one.
        source: Option<Cause>,
    },
    /// Nothing of that name was ever issued.
    #[error("no certificate was ever issued to {0}: `landbridge pki show` lists all names")]
    UnknownName(NodeName),
    /// No certificate with that serial number was issued.
    #[error(
        "no certificate with the serial number {0} was issued here: `landbridge pki show` lists all serial numbers"
    )]
    UnknownSerial(Serial),
    /// A rotation can't end while nodes would be locked out.
    #[error(
        "the old authority {authority} can't be retired, since {count} of the machines need it until they renew ({examples}): \
         wait for them, or lock them out"
    )]
    StillNeeded {
        /// The old generation.
        authority: AuthorityId,
        /// How many nodes.
        count: usize,
        /// The first few of them.
        examples: String,
    },
    /// No key, or no signature.
    #[error("making the authority's key")]
    Key(#[from] KeyError),
    /// The key could not be encrypted.
    #[error("encrypting the authority's key")]
    Seal(#[source] pkcs8::Error),
    /// The authority's own certificate could not be made.
    #[error("signing the authority's certificate")]
    Sign(#[source] rcgen::Error),
    /// No random numbers.
    #[error("the system gave no random numbers")]
    Random,
}

impl AuthorityError {
    /// A file that isn't what it should be.
    pub(super) fn damaged(path: impl Into<PathBuf>, what: &'static str, source: impl Into<Cause>) -> Self {
        Self::Damaged { path: path.into(), what, remedy: RESTORE, source: Some(source.into()) }
    }

    /// The same, where nothing lower down has complained.
    pub(super) fn inconsistent(path: impl Into<PathBuf>, what: &'static str) -> Self {
        Self::Damaged { path: path.into(), what, remedy: RESTORE, source: None }
    }
}

const RESTORE: &str = "restore it from a backup";

/// Why no certificate was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The asker's fault.
    #[error("refused the certificate request of {name}")]
    Request {
        /// For whom it was.
        name: NodeName,
        /// What was wrong with it.
        source: RequestError,
    },
    /// The authority's own certificate has ended.
    #[error("the certificate authority ended at {0}: `landbridge pki rotate` makes a new one")]
    Ended(Timestamp),
    /// The clock says that the authority doesn't exist yet.
    #[error("the clock says {now}, but the certificate authority begins at {begins}: set this machine's clock")]
    ClockBehind {
        /// The clock.
        now: Timestamp,
        /// The authority's first moment.
        begins: Timestamp,
    },
    /// A life of less than a second, or beyond the calendar.
    #[error("a certificate can't live for {0:?}")]
    Life(std::time::Duration),
    /// Signing failed.
    #[error("signing the certificate of {name}")]
    Sign {
        /// For whom it was.
        name: NodeName,
        /// The cause.
        source: rcgen::Error,
    },
    /// The authority's directory.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

/// What is wrong with a certificate request. Safe to show to whoever sent it.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Too long.
    #[error("the certificate request has {0} bytes; at most {max} are read", max = super::MAX_CSR_BYTES)]
    TooLong(usize),
    /// Not a request.
    #[error("it is no certificate request (PKCS#10, PEM)")]
    Syntax(#[source] openssl::error::ErrorStack),
    /// The sender does not have the key.
    #[error("the certificate request is not signed with its own key")]
    Signature,
    /// The wrong kind of key.
    #[error("the key in the certificate request is not on the curve P-256")]
    Key,
}
