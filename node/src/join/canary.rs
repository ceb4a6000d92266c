//! The last stage: a job ran here, and the front-end says so.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::stages;
use crate::api::Client;
use crate::wire::{Failure, Stage};
use crate::words;

/// Before another question after one that failed.
const PAUSE: Duration = Duration::from_millis(250);

/// Waits for the front-end's word.
pub(super) async fn prove(client: &Client, until: Instant) -> Result<(), Failure> {
    let expected = "a job of the front-end's to run here and say so";
    let word = timeout_at(until, word(client)).await;
    word.unwrap_or_else(|_| Err(words::too_late(expected, stages::deadline(Stage::Canary))))
}

async fn word(client: &Client) -> Result<(), Failure> {
    let mut after = 0;
    loop {
        match client.orders(after).await {
            Ok(orders) => match orders.canary {
                Some(word) => return word,
                None => after = orders.generation,
            },
            Err(error) if error.is_passing() => sleep(PAUSE).await,
            Err(error) => return Err(words::contact(&error, None)),
        }
    }
}
