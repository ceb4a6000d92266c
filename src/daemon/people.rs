//! Whoever is added to the front-end's users, or goes, is told to the workers at once.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use landbridge_node::machine::Watch;
use landbridge_node::words;
use tokio_util::sync::CancellationToken;

use crate::lifecycle::Roster;

/// Where passwd(5) and group(5) are. Both are replaced when they change, so it is their directory that is watched.
const FOLDER: &str = "/etc";
/// Between two looks that no change asked for.
const PATROL: Duration = Duration::from_secs(30);
/// A program that changes both files, as adduser(8) does, is given this long.
const SETTLE: Duration = Duration::from_millis(100);

/// Follows them until told to stop.
pub(super) async fn keep(roster: Arc<Roster>, stop: CancellationToken) {
    let watched = async {
        loop {
            if let Err(error) = follow(&roster).await {
                tracing::error!(error = %words::chain(&*error), "following the front-end's users and groups; it is tried again");
                tokio::time::sleep(PATROL).await;
            }
        }
    };
    stop.run_until_cancelled(watched).await;
}

async fn follow(roster: &Roster) -> Result<(), Box<dyn Error + Send + Sync>> {
    let watch = Watch::of(Path::new(FOLDER))?;
    loop {
        if roster.look_at_people().await? {
            tracing::info!("the front-end's people have changed: the workers are told");
        }
        if let Ok(changed) = tokio::time::timeout(PATROL, watch.changed()).await {
            changed?;
            tokio::time::sleep(SETTLE).await;
        }
    }
}
