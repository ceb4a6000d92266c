//! NICs that were there before are adopted, and given back as they were.

use landbridge_fabric::{Ledger, Link, Network, NetworkJournal, reconcile};

use super::Machine;
use crate::common::*;

fn odd_nic() -> Link {
    Link { mtu: 1400, up: false, addresses: [address("198.51.100.7/24")].into(), ..veth() }
}

fn adopting() -> Network {
    let eth1 = nic().mtu(9000).port_of("lbbr-ursa").address("10.77.0.5/16").address("198.51.100.7/24");
    network([("lbbr-ursa", bridge()), ("eth1", eth1)])
}

#[test]
fn a_nic_is_given_back_as_it_was() {
    let mut machine = Machine::with(links([("eth1", odd_nic())]));
    machine.up(&adopting());
    assert_eq!(machine.link("eth1").mtu, 9000);
    machine.down();
    assert_eq!(machine.link("eth1"), odd_nic());
    assert_eq!(Ledger::of(&machine.journal), Ledger::default());
}

#[test]
fn a_nic_is_given_back_by_a_process_that_knows_only_the_journals_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("network.journal");
    let mut machine = Machine::with(links([("eth1", odd_nic())]));
    let mut journal = NetworkJournal::open(&path).unwrap();
    wait(reconcile(&adopting(), &mut machine.fake, &mut journal)).unwrap();
    drop(journal);
    let mut journal = NetworkJournal::open(&path).unwrap();
    wait(reconcile(&Network::empty(owner()), &mut machine.fake, &mut journal)).unwrap();
    assert_eq!(machine.link("eth1"), odd_nic());
}

#[test]
fn compaction_forgets_no_adopted_nic() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("network.journal");
    let mut machine = Machine::with(links([("eth1", odd_nic())]));
    machine.journal = NetworkJournal::open(&path).unwrap();
    machine.up(&adopting());
    let ledger = Ledger::of(&machine.journal);
    machine.journal.compact(|entry| ledger.rests_on(entry)).unwrap();
    drop(std::mem::replace(&mut machine.journal, NetworkJournal::in_memory()));
    machine.journal = NetworkJournal::open(&path).unwrap();
    assert_eq!(Ledger::of(&machine.journal), ledger);
    machine.down();
    assert_eq!(machine.link("eth1"), odd_nic());
}

#[test]
fn the_first_state_is_remembered_through_changes_of_the_wish() {
    let mut machine = Machine::with(links([("eth1", odd_nic())]));
    machine.up(&adopting());
    machine.up(&network([("eth1", nic().mtu(1500).address("10.77.0.6/16"))]));
    machine.up(&adopting());
    machine.down();
    assert_eq!(machine.link("eth1"), odd_nic());
}

#[test]
fn a_nic_that_somebody_has_taken_since_stays_with_them() {
    let mut machine = Machine::with(links([("eth1", odd_nic())]));
    machine.up(&adopting());
    machine.fake.links_mut().insert(name("br0"), foreign(landbridge_fabric::Kind::Bridge));
    machine.fake.links_mut().get_mut(&name("eth1")).unwrap().controller = Some(name("br0"));
    machine.down();
    assert_eq!(machine.link("eth1"), Link { controller: Some(name("br0")), ..odd_nic() });
}

#[test]
fn a_nic_that_is_gone_with_its_hardware_is_forgotten() {
    let mut machine = Machine::with(links([("eth1", odd_nic())]));
    machine.up(&adopting());
    machine.fake.links_mut().remove(&name("eth1"));
    machine.down();
    assert!(machine.observe().links.is_empty());
    assert_eq!(Ledger::of(&machine.journal), Ledger::default());
}

#[test]
fn a_nic_that_was_our_port_already_is_adopted_as_nobodys_port() {
    let mut machine = Machine::with(links([("eth1", odd_nic())]));
    machine.up(&network([("lbbr-ursa", bridge())]));
    machine.fake.links_mut().get_mut(&name("eth1")).unwrap().controller = Some(name("lbbr-ursa"));
    machine.up(&adopting());
    machine.down();
    assert_eq!(machine.link("eth1"), odd_nic());
}
