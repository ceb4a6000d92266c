//! The certificates that were issued, by number and by name: a cluster of ten thousand asks for one of them at every heartbeat.

use std::collections::{BTreeMap, BTreeSet};

use crate::{CertificateFacts, NodeName, Serial};

/// What each certificate says.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    by_serial: BTreeMap<Serial, CertificateFacts>,
    by_name: BTreeMap<NodeName, BTreeSet<Serial>>,
}

impl Catalogue {
    pub(super) fn insert(&mut self, facts: CertificateFacts) {
        self.by_name.entry(facts.name.clone()).or_default().insert(facts.serial);
        self.by_serial.insert(facts.serial, facts);
    }

    pub(super) fn remove(&mut self, serial: Serial) {
        let Some(facts) = self.by_serial.remove(&serial) else { return };
        if let Some(serials) = self.by_name.get_mut(&facts.name) {
            serials.remove(&serial);
            if serials.is_empty() {
                self.by_name.remove(&facts.name);
            }
        }
    }

    pub(super) fn contains(&self, serial: Serial) -> bool {
        self.by_serial.contains_key(&serial)
    }

    /// All, by number.
    pub(super) fn all(&self) -> impl Iterator<Item = &CertificateFacts> {
        self.by_serial.values()
    }

    /// Those of one machine, by number.
    pub(super) fn of(&self, name: &NodeName) -> impl Iterator<Item = &CertificateFacts> {
        self.by_name.get(name).into_iter().flatten().filter_map(|serial| self.by_serial.get(serial))
    }
}

impl FromIterator<CertificateFacts> for Catalogue {
    fn from_iter<I: IntoIterator<Item = CertificateFacts>>(all: I) -> Self {
        let mut catalogue = Self::default();
        all.into_iter().for_each(|facts| catalogue.insert(facts));
        catalogue
    }
}
