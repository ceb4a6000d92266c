//! What doesn't go on by itself, and why: a host that can't be asked for its machines, a worker that can't be taken away.
//! It is tried again all the time, after a restart too, so nothing of this is on disk.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Mutex, PoisonError};

use landbridge_node::words;
use landbridge_pki::NodeName;

use super::Roster;

/// By host or worker, whose names are never the same.
#[derive(Debug, Default)]
pub(super) struct Troubles(Mutex<BTreeMap<NodeName, String>>);

impl Troubles {
    /// Whether that is news.
    fn begin(&self, name: &NodeName, why: &str) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.clone(), why.to_owned()).as_deref() != Some(why)
    }

    fn end(&self, name: &NodeName) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

impl Roster {
    /// What keeps a host or a worker from going on, in words.
    pub fn trouble(&self, name: &NodeName) -> Option<String> {
        self.troubles.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Something failed and is tried again; logged with `what` it was, unless that was the last thing logged of it.
    pub(super) fn troubled(&self, name: &NodeName, what: &str, why: &(dyn Error + 'static)) {
        let why = words::chain(why).replace('\n', " | ");
        if self.troubles.begin(name, &why) {
            tracing::error!(%name, why, "{what}; it is tried again");
        }
    }

    pub(super) fn untroubled(&self, name: &NodeName) {
        self.troubles.end(name);
    }
}
