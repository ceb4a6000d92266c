//! Opening a journal that is ours alone.

use std::path::Path;
use std::time::Duration;

use landbridge_fabric::{Journal, JournalError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(1);
const ATTEMPTS: u32 = 1000;

/// Opens the journal. The machine's lock is held, so whoever else has it open is a child that was forked (by another
/// thread, or before a crash) and has not yet become another program: it is waited for.
pub(super) async fn open<E: Serialize + DeserializeOwned>(path: &Path) -> Result<Journal<E>, JournalError> {
    for _ in 1..ATTEMPTS {
        match Journal::open(path) {
            Err(JournalError::Busy { .. }) => tokio::time::sleep(PAUSE).await,
            opened => return opened,
        }
    }
    Journal::open(path)
}
