//! How busy each physical host said it is. Told again twice a minute, so nothing of this is on disk.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use landbridge_node::wire::HostLoad;
use landbridge_pki::NodeName;

use super::Roster;

#[derive(Debug, Default)]
pub(super) struct Loads(Mutex<HashMap<NodeName, (HostLoad, Timestamp)>>);

impl Roster {
    /// How busy a host said it is, and when.
    pub fn load(&self, host: &NodeName) -> Option<(HostLoad, Timestamp)> {
        self.loads.0.lock().unwrap_or_else(PoisonError::into_inner).get(host).copied()
    }

    pub(super) fn hear_load(&self, host: &NodeName, load: HostLoad, now: Timestamp) {
        self.loads.0.lock().unwrap_or_else(PoisonError::into_inner).insert(host.clone(), (load, now));
    }
}
