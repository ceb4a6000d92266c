//! The token that a machine was made with: from the seed disk, or from the cloud's metadata service.
//!
//! The user-data is cloud-init's; we read one comment in it, so that a machine that has `landbridge-node` already waits for nothing
//! else. Its second line is `# landbridge: TOKEN`.

mod seed;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::metadata;
use crate::wire::{Token, TokenError};

/// What stands before the token.
const MARK: &str = "# landbridge: ";

/// Between two looks: neither disks nor networks say when they are there.
const PAUSE: Duration = Duration::from_millis(250);

/// Where user-data may come from.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The block devices, by name: `/sys/class/block`.
    pub blocks: PathBuf,
    /// Their nodes: `/dev`.
    pub devices: PathBuf,
    /// The cloud's metadata service.
    pub metadata: SocketAddr,
    /// How long to look: the machine may have just started, and its network be on its way.
    pub patience: Duration,
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            blocks: "/sys/class/block".into(),
            devices: "/dev".into(),
            metadata: metadata::address(),
            patience: Duration::from_mins(2),
        }
    }
}

/// No token was found.
#[derive(Debug, thiserror::Error)]
pub enum UserDataError {
    /// There is no user-data.
    #[error(
        "no user-data was found: no disk is labelled CIDATA, and the metadata service at {endpoint} did not help ({seen}); \
         give this machine a token by hand (landbridge token create, on the front-end)"
    )]
    Nowhere {
        /// Where the service should be.
        endpoint: SocketAddr,
        /// What came of asking it last.
        seen: String,
    },
    /// There is, but it has no token.
    #[error("the user-data from {0} has no line `# landbridge: TOKEN`: it was not made by landbridge")]
    Unmarked(String),
    /// It has something else.
    #[error("the user-data from {0}: {1}")]
    Damaged(String, TokenError),
}

/// Looks on the disks, then asks the metadata service, until either has an answer.
pub async fn token(sources: &Sources) -> Result<Token, UserDataError> {
    let until = Instant::now() + sources.patience;
    loop {
        if let Some((disk, text)) = seed::user_data(&sources.blocks, &sources.devices) {
            return find(&text, disk);
        }
        match metadata::user_data(sources.metadata).await {
            Ok(text) => return find(&text, sources.metadata.to_string()),
            Err(seen) if Instant::now() >= until => {
                return Err(UserDataError::Nowhere { endpoint: sources.metadata, seen });
            }
            Err(seen) => tracing::debug!(seen, "no user-data yet"),
        }
        sleep(PAUSE).await;
    }
}

fn find(text: &str, from: String) -> Result<Token, UserDataError> {
    match text.lines().find_map(|line| line.strip_prefix(MARK)) {
        Some(token) => token.parse().map_err(|error| UserDataError::Damaged(from, error)),
        None => Err(UserDataError::Unmarked(from)),
    }
}

#[cfg(test)]
mod tests;
