//! The word of a worker that has undone its part.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// Who has said goodbye, by the worker's id: a later worker of the same name has said nothing. A word that comes before
/// anybody waits for it still counts.
#[derive(Debug, Default)]
pub(super) struct Goodbyes(Mutex<HashMap<i64, watch::Sender<bool>>>);

impl Goodbyes {
    /// The worker's word came.
    pub(super) fn hear(&self, worker: i64) {
        self.entry(worker).send_replace(true);
    }

    /// Waits for the worker's word.
    pub(super) async fn expect(&self, worker: i64) {
        let mut word = self.entry(worker).subscribe();
        // The sender lives in the map, so this ends only with the word.
        let _ = word.wait_for(|said| *said).await;
        self.forget(worker);
    }

    /// Whether the worker's word came, and was not waited for since.
    pub(super) fn is_said(&self, worker: i64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&worker).is_some_and(|word| *word.borrow())
    }

    /// A worker that joins again, or is gone, has said nothing.
    pub(super) fn forget(&self, worker: i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&worker);
    }

    fn entry(&self, worker: i64) -> watch::Sender<bool> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(worker)
            .or_insert_with(|| watch::channel(false).0)
            .clone()
    }
}
