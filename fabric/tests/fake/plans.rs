//! Plans as a person sees them.

use insta::assert_snapshot;
use landbridge_fabric::{InterfaceName, Link, Network};

use super::Machine;
use crate::common::*;

/// The lines that lead from `before` to `after` on a machine with these links of others.
fn lines(others: impl IntoIterator<Item = (InterfaceName, Link)>, before: &Network, after: &Network) -> String {
    let mut machine = Machine::with(others);
    machine.up(before);
    machine.up(after).join("\n")
}

fn nothing() -> Network {
    Network::empty(owner())
}

#[test]
fn a_network_from_nothing() {
    assert_snapshot!(lines(links([("eth1", Link { up: false, ..veth() })]), &nothing(), &front_end()));
}

#[test]
fn a_network_torn_down() {
    assert_snapshot!(lines(links([("eth1", Link { mtu: 9000, ..veth() })]), &front_end(), &nothing()));
}

#[test]
fn every_attribute_changed() {
    let mut after = front_end();
    after.links.insert(name("lbbr-ursa"), bridge().mtu(9000).address("10.77.0.2/16").address("10.77.0.3/16"));
    after.links.insert(name("lbvx-ursa"), vxlan(77, &[12, 13]).mtu(8950).port_of("lbbr-ursa"));
    after.links.insert(name("lbt0-ursa"), tap().mtu(1500));
    after.links.insert(name("eth1"), nic().mtu(9000).address("10.77.0.1/16"));
    assert_snapshot!(lines(links([("eth1", veth())]), &front_end(), &after));
}

#[test]
fn a_vxlan_whose_identity_changed_is_replaced() {
    let mut after = front_end();
    after.links.insert(name("lbvx-ursa"), vxlan(78, &[11, 12]).mtu(1450).port_of("lbbr-ursa"));
    assert_snapshot!(lines(links([("eth1", veth())]), &front_end(), &after));
}

#[test]
fn a_port_moves_to_another_bridge() {
    let before = network([("lb0", bridge()), ("lb1", tap().port_of("lb0"))]);
    let after = network([("lb0", bridge()), ("lb9", bridge()), ("lb1", tap().port_of("lb9"))]);
    assert_snapshot!(lines([], &before, &after));
}

#[test]
fn an_address_moves_to_another_link() {
    let before = network([("lb0", bridge().address("10.77.0.1/16")), ("lb1", bridge())]);
    let after = network([("lb0", bridge()), ("lb1", bridge().address("10.77.0.1/16"))]);
    assert_snapshot!(lines([], &before, &after));
}

#[test]
fn what_stands_on_a_link_shrinks_before_it_and_grows_after_it() {
    let of = |bytes| network([("eth1", nic().mtu(bytes)), ("lbvl-ursa", vlan(77, "eth1").mtu(bytes))]);
    let shrink = lines(links([("eth1", veth())]), &of(9000), &of(1500));
    let grow = lines(links([("eth1", veth())]), &of(1500), &of(9000));
    assert_snapshot!(format!("{shrink}\n\n{grow}"));
}

#[test]
fn a_replaced_parent_takes_its_sub_interface_with_it() {
    let before = network([("lb0", tap()), ("lb1", vlan(5, "lb0"))]);
    let after = network([("lb0", bridge()), ("lb1", vlan(5, "lb0"))]);
    assert_snapshot!(lines([], &before, &after));
}

#[test]
fn a_hypervisors_tap_is_detached_in_plain_sight_when_the_bridge_goes() {
    let mut machine = Machine::with([]);
    machine.up(&network([("lbbr-ursa", bridge())]));
    let tap = Link { controller: Some(name("lbbr-ursa")), ..veth() };
    machine.fake.links_mut().insert(name("vnet0"), tap);
    assert_snapshot!(machine.down().join("\n"));
}

#[test]
fn two_hundred_links_are_planned_and_then_nothing() {
    let mut wanted = network([("lbbr-ursa", bridge())]);
    for n in 0..200 {
        wanted.links.insert(name(&format!("lb{n}")), tap().port_of("lbbr-ursa"));
    }
    let mut machine = Machine::with([]);
    assert_eq!(machine.up(&wanted).len(), 201);
    assert!(machine.up(&wanted).is_empty());
}
