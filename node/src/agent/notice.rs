//! The word of the machine's cloud that it takes the machine back.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::metadata;

/// Between two looks. From EC2's user guide: "we recommend that you check for these interruption notices every 5 seconds".
const OFTEN: Duration = Duration::from_secs(5);
/// Where no metadata service has answered: the machine may not be in a cloud at all.
const SELDOM: Duration = Duration::from_mins(1);

/// Looks for the notice, beside everything else. Ends when dropped.
#[derive(Debug)]
pub(super) struct Notice {
    heard: Receiver<Timestamp>,
    task: JoinHandle<()>,
}

impl Notice {
    /// Starts to look there.
    pub(super) fn watch(service: SocketAddr) -> Self {
        let (told, heard) = channel(1);
        Self { heard, task: tokio::spawn(look(service, told)) }
    }

    /// When the machine is taken back. Waits until the cloud says so, which it does again and again from then on.
    pub(super) async fn next(&mut self) -> Timestamp {
        match self.heard.recv().await {
            Some(at) => at,
            // The task ends only when this does.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Notice {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The cloud's word that it takes this machine back; never, where nobody listens for it.
pub(super) async fn taken_back(notice: Option<&mut Notice>) -> Timestamp {
    match notice {
        Some(notice) => notice.next().await,
        None => std::future::pending().await,
    }
}

async fn look(service: SocketAddr, told: Sender<Timestamp>) {
    let mut pause = SELDOM;
    loop {
        match metadata::taken_back_at(service).await {
            Ok(at) => {
                pause = OFTEN;
                if let Some(at) = at
                    && told.send(at).await.is_err()
                {
                    return;
                }
            }
            Err(seen) => tracing::debug!(seen, "asking the cloud whether it takes this machine back"),
        }
        sleep(pause).await;
    }
}
