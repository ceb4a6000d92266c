//! What we did not create we neither change nor delete.

use landbridge_fabric::{Kind, Link, Network, NetworkJournal, Owner, reconcile};

use super::Machine;
use crate::common::*;

#[test]
fn a_hypervisors_tap_on_our_bridge_stays_a_port() {
    let mut machine = Machine::with(links([("eth1", veth())]));
    machine.up(&front_end());
    let vnet0 = Link { controller: Some(name("lbbr-ursa")), ..foreign(Kind::Tap) };
    machine.fake.links_mut().insert(name("vnet0"), vnet0.clone());
    assert!(machine.up(&front_end()).is_empty());
    let mut after = front_end();
    after.links.insert(name("lbbr-ursa"), bridge().mtu(9000));
    machine.up(&after);
    assert_eq!(machine.link("vnet0"), vnet0);
}

#[test]
fn addresses_of_others_on_an_adopted_nic_stay() {
    let mut machine = Machine::with(links([("eth1", veth())]));
    machine.up(&network([("eth1", nic().address("10.77.0.5/16"))]));
    machine.fake.links_mut().get_mut(&name("eth1")).unwrap().addresses.insert(address("10.77.0.6/16"));
    assert!(machine.up(&network([("eth1", nic().address("10.77.0.5/16"))])).is_empty());
    machine.up(&network([("eth1", nic())]));
    assert_eq!(machine.link("eth1").addresses, [address("10.77.0.6/16")].into());
    machine.down();
    assert_eq!(machine.link("eth1").addresses, [address("10.77.0.6/16")].into());
}

#[test]
fn an_address_on_our_own_link_that_was_not_wished_for_is_drift() {
    let mut machine = Machine::with([]);
    let wanted = network([("lbbr-ursa", bridge().address("10.77.0.1/16"))]);
    machine.up(&wanted);
    machine.fake.links_mut().get_mut(&name("lbbr-ursa")).unwrap().addresses = [address("10.9.9.9/8")].into();
    let lines = machine.up(&wanted);
    assert_eq!(lines, ["- lbbr-ursa address 10.9.9.9/8", "+ lbbr-ursa address 10.77.0.1/16"]);
}

#[test]
fn a_tag_on_a_nic_is_no_leave_to_delete_it() {
    let tagged = Link { alias: Some(owner().alias()), ..veth() };
    let mut machine = Machine::with(links([("eth7", tagged.clone())]));
    assert!(machine.down().is_empty());
    assert_eq!(machine.link("eth7"), tagged);
}

#[test]
fn a_link_that_lost_its_tag_is_not_ours_any_more() {
    let mut machine = Machine::with([]);
    machine.up(&network([("lbt0-ursa", tap())]));
    machine.fake.links_mut().get_mut(&name("lbt0-ursa")).unwrap().alias = None;
    assert!(machine.down().is_empty());
    assert!(machine.try_up(&network([("lbt0-ursa", tap())])).is_err());
}

#[test]
fn two_clusters_on_one_machine_do_not_touch_each_other() {
    let mut machine = Machine::with([]);
    let mut lyras = NetworkJournal::in_memory();
    let lyra = Network {
        owner: Owner("lyra".into()),
        ..network([("lbbr-lyra", bridge()), ("lbt0-lyra", tap().port_of("lbbr-lyra"))])
    };
    let ursa = network([("lbbr-ursa", bridge()), ("lbt0-ursa", tap().port_of("lbbr-ursa"))]);
    machine.up(&ursa);
    let only_ursa = machine.observe();
    wait(reconcile(&lyra, &mut machine.fake, &mut lyras)).unwrap();
    assert!(machine.up(&ursa).is_empty());
    machine.down();
    assert!(wait(reconcile(&lyra, &mut machine.fake, &mut lyras)).unwrap().changed.is_empty());
    machine.up(&ursa);
    wait(reconcile(&Network::empty(lyra.owner), &mut machine.fake, &mut lyras)).unwrap();
    assert_eq!(machine.observe(), only_ursa);
}

#[test]
fn what_drifted_is_repaired_and_told() {
    let mut machine = Machine::with(links([("eth1", veth())]));
    machine.up(&front_end());
    let all = machine.fake.links_mut();
    all.get_mut(&name("lbvx-ursa")).unwrap().flood.pop_first();
    all.get_mut(&name("lbbr-ursa")).unwrap().up = false;
    all.remove(&name("lbt0-ursa"));
    let lines = machine.up(&front_end());
    assert_eq!(
        lines,
        ["~ lbbr-ursa down => up", "+ lbt0-ursa tap mtu 9000 controller lbbr-ursa", "+ lbvx-ursa flood 192.0.2.11"]
    );
}
