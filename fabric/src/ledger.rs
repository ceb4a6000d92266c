//! What we must remember that the kernel can't tell: how adopted NICs were before.

use std::collections::{BTreeMap, BTreeSet};

use ipnetwork::Ipv4Network;

use crate::journal::{Journal, State};
use crate::{Change, InterfaceName, NicState, Observed, PlannedStep, Step};

/// The journal in which [`crate::reconcile`] keeps its steps, and out of which the ledger is read.
pub type NetworkJournal = Journal<PlannedStep>;

/// The NICs of the machine that we have adopted and not yet given back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// By name.
    pub adopted: BTreeMap<InterfaceName, AdoptedNic>,
}

/// An adopted NIC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdoptedNic {
    /// As it was.
    pub before: NicState,
    /// The addresses that are on it because of us.
    pub added: BTreeSet<Ipv4Network>,
}

impl Ledger {
    /// Reads the ledger out of the journal. What was begun counts as added, and only what is done as removed, so that
    /// a crash makes us remember too much rather than too little.
    pub fn of(journal: &NetworkJournal) -> Self {
        let mut ledger = Self::default();
        for (_, state, entry) in journal.entries() {
            ledger.note(&entry.step, state == State::Done);
        }
        ledger
    }

    fn note(&mut self, step: &Step, done: bool) {
        match step {
            Step::Adopt { nic, before } => {
                let adopted = AdoptedNic { before: before.clone(), added: BTreeSet::new() };
                self.adopted.entry(nic.clone()).or_insert(adopted);
            }
            Step::Release { nic, .. } if done => _ = self.adopted.remove(nic),
            Step::Set { name, change } => {
                let Some(nic) = self.adopted.get_mut(name) else { return };
                match change {
                    Change::AddAddress(address) => _ = nic.added.insert(*address),
                    Change::RemoveAddress(address) if done => _ = nic.added.remove(address),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// Whether the ledger would be another one without this journal entry: what compaction keeps.
    pub fn rests_on(&self, entry: &PlannedStep) -> bool {
        match &entry.step {
            Step::Adopt { nic, before } => self.adopted.get(nic).is_some_and(|adopted| adopted.before == *before),
            Step::Set { name, change: Change::AddAddress(address) } => {
                self.adopted.get(name).is_some_and(|adopted| adopted.added.contains(address))
            }
            _ => false,
        }
    }

    /// The state of a NIC that is about to be adopted.
    pub(crate) fn state_of(observed: &Observed, nic: &InterfaceName) -> Option<NicState> {
        let link = observed.links.get(nic)?;
        Some(NicState { mtu: link.mtu, up: link.up, addresses: link.addresses.clone() })
    }
}
