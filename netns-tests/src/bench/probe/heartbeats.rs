//! Heartbeats: workers that ask for their orders, each over its own connection with its own certificate.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use landbridge_node::api::Client;
use landbridge_node::wire::Identity;

use super::super::Outcome;
use super::IDENTITIES;

/// How many orders the daemon gives in a second to `workers` of the crew that ask one after the other for as long as `time`, and
/// whether all were answered.
///
/// # Errors
/// No certificate could be issued, or the daemon refused one.
pub fn heartbeats(workers: u32, time: Duration) -> Outcome<f64> {
    let clients = clients(workers)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let answered = Arc::new(AtomicU64::new(0));
        // The first request makes the connection, which is not what is counted.
        for client in &clients {
            client.orders(0).await?;
        }
        let start = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for client in clients {
            let answered = Arc::clone(&answered);
            tasks.spawn(async move {
                while start.elapsed() < time {
                    client.orders(0).await?;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<_, landbridge_node::api::ApiError>(())
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        #[allow(clippy::cast_precision_loss)] // far fewer than 2^52
        let answered = answered.load(Ordering::Relaxed) as f64;
        Ok(answered / start.elapsed().as_secs_f64())
    })
}

/// The daemon has the authority, so the crew's certificates were issued before it came.
fn clients(workers: u32) -> Outcome<Vec<Client>> {
    let key = std::fs::read_to_string(Path::new(IDENTITIES).join("key.pem"))?;
    let client = |n: u32| -> Outcome<Client> {
        let text = std::fs::read(Path::new(IDENTITIES).join(format!("w{n}.json")))?;
        let identity: Identity = serde_json::from_slice(&text)?;
        Ok(Client::with_identity(&identity, &key)?)
    };
    (1..=workers).map(client).collect()
}
