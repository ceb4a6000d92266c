//! Asks for orders, for ever, beside everything else.

use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::Backoff;
use crate::api::{ApiError, Client};
use crate::wire::{Refusal, RefusalCode};

/// Between tries when the front-end is not there.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(15);

/// A stream of orders of one kind. Ends when dropped.
#[derive(Debug)]
pub struct Listener<O> {
    orders: Receiver<Result<O, Refusal>>,
    task: JoinHandle<()>,
}

/// Orders that can be asked for.
pub trait Ordered: Send + Sized + 'static {
    /// Asks for what comes after a generation.
    fn ask(client: &Client, after: u64) -> impl Future<Output = Result<Self, ApiError>> + Send;

    /// Their number.
    fn generation(&self) -> u64;
}

impl<O: Ordered> Listener<O> {
    /// Starts asking for what comes after `after`.
    pub fn start(client: Client, after: u64) -> Self {
        let (sender, orders) = channel(1);
        Self { orders, task: tokio::spawn(listen(client, after, sender)) }
    }

    /// The next orders; or the front-end's word that this machine is no longer part of the cluster. It is asked again all
    /// the same, so the word may come again.
    pub async fn next(&mut self) -> Result<O, Refusal> {
        match self.orders.recv().await {
            Some(orders) => orders,
            // The task ends only when this does.
            None => std::future::pending().await,
        }
    }
}

impl<O> Drop for Listener<O> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen<O: Ordered>(client: Client, mut after: u64, sender: Sender<Result<O, Refusal>>) {
    let mut backoff = Backoff::new(FIRST, LONGEST);
    loop {
        match O::ask(&client, after).await {
            Ok(orders) => {
                backoff.reset();
                // An answer without news: the time of the question was up.
                if orders.generation() == after && after != 0 {
                    continue;
                }
                after = orders.generation();
                if sender.send(Ok(orders)).await.is_err() {
                    return;
                }
            }
            Err(ApiError::Refused(refusal)) if refusal.code == RefusalCode::Revoked => {
                if sender.send(Err(refusal)).await.is_err() {
                    return;
                }
                sleep(backoff.pause()).await;
            }
            Err(error) => {
                tracing::warn!(%error, "asking for orders failed; everything stays as it is");
                sleep(backoff.pause()).await;
            }
        }
    }
}

impl Ordered for crate::wire::Orders {
    async fn ask(client: &Client, after: u64) -> Result<Self, ApiError> {
        client.orders(after).await
    }

    fn generation(&self) -> u64 {
        self.generation
    }
}

impl Ordered for crate::wire::FabricOrder {
    async fn ask(client: &Client, after: u64) -> Result<Self, ApiError> {
        client.fabric(after).await
    }

    fn generation(&self) -> u64 {
        self.generation
    }
}
