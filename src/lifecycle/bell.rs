//! Long polls: each machine has a number that rises with every change that concerns it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use landbridge_pki::NodeName;
use tokio::sync::watch;

/// How long a long poll waits at most.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// One bell a machine, so that a change wakes nobody whom it doesn't concern.
#[derive(Debug)]
pub(super) struct Bells {
    first: u64,
    bells: Mutex<HashMap<NodeName, watch::Sender<u64>>>,
}

impl Bells {
    /// Starts at the time in milliseconds, so that a number from before a restart is always older.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { first: now.as_millisecond().unsigned_abs(), bells: Mutex::default() }
    }

    /// Something changed for `name`.
    pub(super) fn ring(&self, name: &NodeName) {
        self.bell(name).send_modify(|generation| *generation += 1);
    }

    /// Waits for a number other than `after`, at most [`PATIENCE`]. The number as it then is.
    pub(super) async fn wait(&self, name: &NodeName, after: u64) -> u64 {
        let mut bell = self.bell(name).subscribe();
        let changed = bell.wait_for(|generation| *generation != after);
        let rang = tokio::time::timeout(PATIENCE, changed).await.map(|r| r.map(|g| *g));
        match rang {
            Ok(Ok(generation)) => generation,
            _ => after,
        }
    }

    /// The number as it is.
    pub(super) fn now(&self, name: &NodeName) -> u64 {
        *self.bell(name).borrow()
    }

    /// Nobody of that name asks any more.
    pub(super) fn forget(&self, name: &NodeName) {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    fn bell(&self, name: &NodeName) -> watch::Sender<u64> {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        bells.entry(name.clone()).or_insert_with(|| watch::channel(self.first).0).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> NodeName {
        NodeName::new(text).expect("a name")
    }

    #[tokio::test(start_paused = true)]
    async fn a_ring_wakes_only_the_one_whom_it_concerns() {
        let bells = Bells::new(Timestamp::UNIX_EPOCH);
        let (w1, w2) = (name("w1"), name("w2"));
        let before = bells.wait(&w1, u64::MAX).await;
        let (other, rung, ()) =
            tokio::join!(bells.wait(&w2, before), bells.wait(&w1, before), async { bells.ring(&w1) });
        assert_eq!(rung, before + 1);
        assert_eq!(other, before, "w2 waited until its patience ended");
    }

    #[tokio::test]
    async fn a_number_from_before_a_restart_is_answered_at_once() {
        let bells = Bells::new(Timestamp::now());
        assert_ne!(bells.wait(&name("w1"), 17).await, 17);
    }
}
