//! Every reason against a network, in the words that a person reads; and that nothing is changed then.

use insta::assert_snapshot;
use landbridge_fabric::{ApplyError, Feature, InterfaceName, Kind, Link, Network, VlanId, Vni};

use super::Machine;
use crate::common::*;

/// The sentences with which `network` is refused on a machine with these links.
fn refusal(others: impl IntoIterator<Item = (InterfaceName, Link)>, network: &Network) -> String {
    refused_by(&mut Machine::with(others), network)
}

fn refused_by(machine: &mut Machine, network: &Network) -> String {
    let before = machine.observe();
    let error = machine.try_up(network).unwrap_err();
    assert!(matches!(error, ApplyError::Conflicts(_)), "{error:?}");
    assert_eq!(machine.observe(), before, "a conflict changes nothing");
    assert_eq!(machine.journal.entries().count(), 0, "a conflict journals nothing");
    error.to_string()
}

#[test]
fn our_name_without_our_tag() {
    let tagged = Link { alias: Some("landbridge:lyra".into()), ..foreign(Kind::Tap) };
    let others = links([("lbbr-ursa", veth()), ("lbt0-ursa", tagged), ("eth1", veth())]);
    assert_snapshot!(refusal(others, &front_end()));
}

#[test]
fn a_nic_that_is_not_there() {
    assert_snapshot!(refusal([], &front_end()));
}

#[test]
fn a_nic_that_is_a_port_of_somebody_else() {
    let others = links([("br0", foreign(Kind::Bridge)), ("eth1", Link { controller: Some(name("br0")), ..veth() })]);
    assert_snapshot!(refusal(others, &front_end()));
}

#[test]
fn a_nic_that_a_cluster_made() {
    let made = |owner: &str| Link { alias: Some(format!("landbridge:{owner}")), ..foreign(Kind::Tap) };
    let wanted = network([("lbt0-lyra", nic()), ("lbt0-ursa", nic())]);
    assert_snapshot!(refusal(links([("lbt0-lyra", made("lyra")), ("lbt0-ursa", made("ursa"))]), &wanted));
}

#[test]
fn a_controller_that_is_none() {
    let others = links([("br0", foreign(Kind::Bridge)), ("eth1", veth())]);
    let wanted = network([
        ("eth1", nic().port_of("br0")),
        ("lb0", tap().port_of("lb1")),
        ("lb1", tap()),
        ("lb2", bridge()),
        ("lb3", bridge().port_of("lb2")),
    ]);
    assert_snapshot!(refusal(others, &wanted));
}

#[test]
fn a_parent_that_cannot_carry_it() {
    let others = links([("eth1", veth()), ("eth2", Link { up: false, ..veth() })]);
    let wanted = network([
        ("lb0", vlan(5, "eth0")),
        ("lb1", vlan(5, "eth1").mtu(9000)),
        ("lb2", vlan(5, "eth2")),
        ("lb3", vlan(5, "lb4")),
        ("lb4", vlan(5, "lb3")),
    ]);
    assert_snapshot!(refusal(others, &wanted));
}

#[test]
fn identifiers_that_others_have() {
    let theirs = Kind::Vxlan { vni: Vni::new(77).unwrap(), local: None, port: 4789 };
    let also = Kind::Vlan { id: VlanId::new(5).unwrap(), parent: Some(name("eth1")) };
    let others = links([("eth1", veth()), ("vx0", foreign(theirs)), ("eth1.5", foreign(also))]);
    let wanted =
        network([("lb0", vxlan(77, &[])), ("lb1", vlan(5, "eth1")), ("lb2", vxlan(78, &[])), ("lb3", vxlan(78, &[]))]);
    assert_snapshot!(refusal(others, &wanted));
}

#[test]
fn a_stranger_that_stands_on_a_link_that_must_go() {
    let mut machine = Machine::with([]);
    machine.up(&network([("lbt0-ursa", tap())]));
    machine.journal.compact(|_| false).unwrap();
    let standing = Kind::Other { name: "macvlan".into(), parent: Some(name("lbt0-ursa")) };
    machine.fake.links_mut().insert(name("mac0"), foreign(standing));
    assert_snapshot!(refused_by(&mut machine, &Network::empty(owner())));
}

#[test]
fn a_kernel_that_lacks_a_feature() {
    let mut machine = Machine::with(links([("eth1", veth())]));
    machine.fake.lacks = [Feature::Vlan, Feature::Tun].into();
    let wanted = network([("lb0", bridge()), ("lb1", vlan(5, "eth1")), ("lb2", vlan(6, "eth1")), ("lb3", tap())]);
    assert_snapshot!(refused_by(&mut machine, &wanted));
}
