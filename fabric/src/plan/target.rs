//! What each link that is our business should become.

use std::collections::{BTreeMap, BTreeSet};

use ipnetwork::Ipv4Network;

use crate::ledger::AdoptedNic;
use crate::{InterfaceName, Kind, Ledger, Link, LinkKind, LinkSpec, Network, Observed, Owner};

/// Links by name.
pub(super) type Links = BTreeMap<InterfaceName, Link>;

/// The end state of every link that is our business: those we make, the NICs we adopt, and the NICs we give back.
pub(super) fn targets(network: &Network, observed: &Observed, ledger: &Ledger) -> Links {
    let mut targets = Links::new();
    for (name, spec) in &network.links {
        let target = Link::desired(&network.owner, spec)
            .or_else(|| observed.links.get(name).map(|link| adopted(link, spec, ledger.adopted.get(name))));
        targets.extend(target.map(|target| (name.clone(), target)));
    }
    for (nic, record) in &ledger.adopted {
        if let (false, Some(link)) = (network.links.contains_key(nic), observed.links.get(nic)) {
            targets.insert(nic.clone(), given_back(link, record, observed, &network.owner));
        }
    }
    targets
}

/// A NIC as it should be while we have it: ours on top of what it has from others.
fn adopted(link: &Link, spec: &LinkSpec, record: Option<&AdoptedNic>) -> Link {
    let mut target = link.clone();
    target.mtu = spec.mtu.bytes();
    target.up = true;
    target.controller.clone_from(&spec.controller);
    if let Some(record) = record {
        target.addresses.retain(|address| !is_ours(record, *address));
    }
    target.addresses.extend(&spec.addresses);
    target
}

/// A NIC as it was. A controller that isn't ours is somebody's decision since, and stays.
fn given_back(link: &Link, record: &AdoptedNic, observed: &Observed, owner: &Owner) -> Link {
    let mut target = link.clone();
    target.mtu = record.before.mtu;
    target.up = record.before.up;
    target.addresses.retain(|address| !is_ours(record, *address));
    target.controller = link.controller.clone().filter(|controller| !is_ours_by_name(controller, observed, owner));
    target
}

fn is_ours(record: &AdoptedNic, address: Ipv4Network) -> bool {
    record.added.contains(&address) && !record.before.addresses.contains(&address)
}

/// Whether a name belongs to a link that carries the owner's tag.
pub(super) fn is_ours_by_name(name: &InterfaceName, observed: &Observed, owner: &Owner) -> bool {
    observed.links.get(name).is_some_and(|link| link.is_owned_by(owner))
}

/// The links of ours that have to go: not wished for, of another kind than wished for, or standing on one that goes.
pub(super) fn doomed(network: &Network, observed: &Observed, targets: &Links) -> BTreeSet<InterfaceName> {
    let ours = || observed.owned_by(&network.owner);
    let unwanted = ours().filter(|(name, link)| targets.get(*name).is_none_or(|target| target.kind != link.kind));
    let mut doomed: BTreeSet<_> = unwanted.map(|(name, _)| name.clone()).collect();
    // A name that is wished for as an existing NIC is a conflict, not a deletion.
    doomed.retain(|name| network.links.get(name).is_none_or(|spec| spec.kind != LinkKind::Existing));
    loop {
        let standing = ours().filter(|(_, link)| link.kind.parent().is_some_and(|parent| doomed.contains(parent)));
        let more: Vec<_> = standing.map(|(name, _)| name).filter(|name| !doomed.contains(*name)).cloned().collect();
        if more.is_empty() {
            return doomed;
        }
        doomed.extend(more);
    }
}

/// Whether the kind is a bridge.
pub(super) fn is_bridge(link: &Link) -> bool {
    link.kind == Kind::Bridge
}
