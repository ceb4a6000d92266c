//! Claims about plans, journals and what becomes of them, on the fake kernel.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod conflicts;
mod crash;
mod failure;
mod journal;
mod nics;
mod ownership;
mod plans;
mod properties;

use common::{owner, wait};
use landbridge_fabric::{ApplyError, Backend, Fake, Network, NetworkJournal, Observed, Report, reconcile};

/// A fake machine and what we remember of it.
struct Machine {
    fake: Fake,
    journal: NetworkJournal,
}

impl Machine {
    fn with(links: impl IntoIterator<Item = (landbridge_fabric::InterfaceName, landbridge_fabric::Link)>) -> Self {
        Self { fake: Fake::with(links), journal: NetworkJournal::in_memory() }
    }

    fn try_up(&mut self, network: &Network) -> Result<Report, ApplyError> {
        wait(reconcile(network, &mut self.fake, &mut self.journal))
    }

    fn up(&mut self, network: &Network) -> Vec<String> {
        self.try_up(network).unwrap().changed
    }

    fn down(&mut self) -> Vec<String> {
        self.up(&Network::empty(owner()))
    }

    fn observe(&mut self) -> Observed {
        wait(self.fake.observe()).unwrap()
    }

    fn link(&mut self, text: &str) -> landbridge_fabric::Link {
        self.observe().links[&common::name(text)].clone()
    }
}

#[test]
fn a_reconcile_can_be_spawned_on_any_runtime() {
    fn is_send<T: Send>(_: T) {}
    let (mut machine, network) = (Machine::with([]), Network::empty(owner()));
    is_send(reconcile(&network, &mut machine.fake, &mut machine.journal));
}
