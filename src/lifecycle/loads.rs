//! How busy each physical host said it is. Old after a minute and told again, so nothing of this is on disk.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use landbridge_node::wire::HostLoad;
use landbridge_pki::NodeName;

use super::Roster;

/// What a host said this long ago is no news any more: it tells twice a minute.
const OLD: SignedDuration = SignedDuration::from_secs(90);

#[derive(Debug, Default)]
pub(super) struct Loads(Mutex<HashMap<NodeName, (HostLoad, Timestamp)>>);

impl Roster {
    /// How busy a host is, as it said within the last minute and a half.
    pub fn load(&self, host: &NodeName, now: Timestamp) -> Option<HostLoad> {
        let loads = self.loads.0.lock().unwrap_or_else(PoisonError::into_inner);
        loads.get(host).filter(|(_, at)| now.duration_since(*at) <= OLD).map(|(load, _)| *load)
    }

    pub(super) fn hear_load(&self, host: &NodeName, load: HostLoad, now: Timestamp) {
        self.loads.0.lock().unwrap_or_else(PoisonError::into_inner).insert(host.clone(), (load, now));
    }
}
