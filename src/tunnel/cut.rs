//! Ending a worker's access: refused from now on *and* its live session ended.

use std::time::Duration;

use futures_util::future::join_all;
use landbridge_node::machine::crash;
use landbridge_pki::NodeName;

use super::ccd;
use super::files::{FileError, Files};
use super::management::{Management, ManagementError};
use crate::paths::Paths;

/// How long the conversation with a server may take, waiting behind another one included. It takes a millisecond.
const DEADLINE: Duration = Duration::from_secs(5);

/// A worker that may still have access.
#[derive(Debug, thiserror::Error)]
pub enum CutError {
    /// Its file in the ccd directory is still there: it can come back.
    #[error("the worker {name} is still admitted")]
    Admitted {
        /// The worker.
        name: NodeName,
        /// What failed.
        source: FileError,
    },
    /// Its session may still be alive, though it can't begin another one.
    #[error("the worker {name} may still have a session with OpenVPN server {server}")]
    Session {
        /// The worker.
        name: NodeName,
        /// Which server process.
        server: u8,
        /// What failed.
        source: ManagementError,
    },
}

/// Makes the worker's traffic stop now, and keeps it out: it is dismissed, then its sessions with every server process
/// are ended. Returns how many there were, once they are gone. Twice is once. A server that doesn't run has no sessions.
///
/// The order matters. A handshake that ends after the dismissal is refused; one that ended before it is a session, which is
/// found and ended. The caller has already revoked the certificate, whose serial is refused from then on even if the
/// worker's *name* is admitted again with another key.
///
/// Whatever fails, every server is asked; the first failure is returned.
pub async fn cut(paths: &Paths, name: &NodeName) -> Result<usize, CutError> {
    let files = Files::new(paths);
    dismiss(&files, name).await?;
    crash::point();
    let results = join_all((0..10).map(|server| end_sessions(&files, name, server))).await;
    results.into_iter().sum()
}

async fn dismiss(files: &Files, name: &NodeName) -> Result<(), CutError> {
    let (ccd, worker) = (files.ccd(), name.clone());
    let dismissed = tokio::task::spawn_blocking(move || ccd::dismiss(&ccd, &worker)).await.expect("it doesn't panic");
    dismissed.map(drop).map_err(|source| CutError::Admitted { name: name.clone(), source })
}

async fn end_sessions(files: &Files, name: &NodeName, server: u8) -> Result<usize, CutError> {
    let conversation = async { Management::connect(&files.socket(server), DEADLINE).await?.cut(name).await };
    match conversation.await {
        Err(ManagementError::NotRunning { .. }) => Ok(0),
        result => result.map_err(|source| CutError::Session { name: name.clone(), server, source }),
    }
}
