//! The word of a worker that has undone its part.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use landbridge_pki::NodeName;
use tokio::sync::watch;

/// Who has said goodbye. A word that comes before anybody waits for it still counts.
#[derive(Debug, Default)]
pub(super) struct Goodbyes(Mutex<HashMap<NodeName, watch::Sender<bool>>>);

impl Goodbyes {
    /// The worker's word came.
    pub(super) fn hear(&self, name: &NodeName) {
        self.entry(name).send_replace(true);
    }

    /// Waits for the worker's word.
    pub(super) async fn expect(&self, name: &NodeName) {
        let mut word = self.entry(name).subscribe();
        // The sender lives in the map, so this ends only with the word.
        let _ = word.wait_for(|said| *said).await;
        self.forget(name);
    }

    /// A new worker of that name starts with nothing said.
    pub(super) fn forget(&self, name: &NodeName) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    fn entry(&self, name: &NodeName) -> watch::Sender<bool> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(name.clone())
            .or_insert_with(|| watch::channel(false).0)
            .clone()
    }
}
