//! Every reason against a network, found by looking only.

use std::collections::BTreeSet;

use super::order::depth;
use super::target::{Links, is_bridge, is_ours_by_name};
use crate::{Conflict, InterfaceName, Kind, Link, LinkKind, LinkSpec, Network, Observed};

/// What the checks look at.
struct Scene<'a> {
    network: &'a Network,
    observed: &'a Observed,
    targets: &'a Links,
    doomed: &'a BTreeSet<InterfaceName>,
}

/// All conflicts, by name of the link that wants something, then those of links that have to go.
pub(super) fn conflicts(
    network: &Network,
    observed: &Observed,
    targets: &Links,
    doomed: &BTreeSet<InterfaceName>,
) -> Vec<Conflict> {
    let scene = Scene { network, observed, targets, doomed };
    let mut found = Vec::new();
    for (name, spec) in &network.links {
        found.extend(scene.holder(name, spec));
        found.extend(scene.port(name, spec));
        found.extend(scene.identity(name, spec));
    }
    found.extend(doomed.iter().flat_map(|name| scene.stood_upon(name)));
    found
}

impl Scene<'_> {
    /// Who has the name now.
    fn holder(&self, name: &InterfaceName, spec: &LinkSpec) -> Option<Conflict> {
        let found = self.observed.links.get(name);
        if spec.kind == LinkKind::Existing {
            return match found {
                None => Some(Conflict::NicMissing { nic: name.clone() }),
                Some(link) => self.nic(name, link, spec),
            };
        }
        let found = found.filter(|link| !link.is_owned_by(&self.network.owner))?;
        let mut text = found.kind.to_string();
        if let Some(alias) = &found.alias {
            text = format!("{text} with the alias {alias:?}");
        }
        Some(Conflict::Taken { name: name.clone(), found: text })
    }

    /// Whether a NIC may be adopted.
    fn nic(&self, name: &InterfaceName, link: &Link, spec: &LinkSpec) -> Option<Conflict> {
        if let Some(owner) = link.alias.as_deref().and_then(|alias| alias.strip_prefix("landbridge:"))
            && !matches!(link.kind, Kind::Other { .. })
        {
            let (nic, found) = (name.clone(), link.kind.to_string());
            return Some(Conflict::NicIsMade { nic, found, owner: owner.to_owned() });
        }
        let controller = link.controller.clone()?;
        let fits = spec.controller.as_ref() == Some(&controller)
            || is_ours_by_name(&controller, self.observed, &self.network.owner);
        (!fits).then(|| Conflict::NicHasController { nic: name.clone(), controller })
    }

    /// Whether it can be the port that it should be.
    fn port(&self, name: &InterfaceName, spec: &LinkSpec) -> Option<Conflict> {
        let controller = spec.controller.clone()?;
        let is_made_bridge = |link: &LinkSpec| link.kind == LinkKind::Bridge;
        let reason = if !self.network.links.get(&controller).is_some_and(is_made_bridge) {
            "that is no bridge of this network"
        } else if self.targets.get(name).is_some_and(is_bridge) {
            "a bridge can't be a port of a bridge"
        } else {
            return None;
        };
        Some(Conflict::NoPort { name: name.clone(), controller, reason })
    }

    /// Whether its identifiers are free, and what it stands on is fit.
    fn identity(&self, name: &InterfaceName, spec: &LinkSpec) -> Option<Conflict> {
        match &spec.kind {
            LinkKind::Vxlan { vni, port, .. } => {
                let same = |kind: &Kind| matches!(kind, Kind::Vxlan { vni: v, port: p, .. } if v == vni && p == port);
                let (name, vni, port) = (name.clone(), *vni, *port);
                self.other(&name, same).map(|holder| Conflict::VniInUse { name, vni, port, holder })
            }
            LinkKind::Vlan { id, parent } => {
                let wanted = Kind::Vlan { id: *id, parent: Some(parent.clone()) };
                let holder = self.other(name, |kind| *kind == wanted);
                let in_use = |holder| {
                    let (name, id, parent) = (name.clone(), *id, parent.clone());
                    Conflict::VlanInUse { name, id, parent, holder }
                };
                holder.map(in_use).or_else(|| self.parent(name, parent, spec))
            }
            LinkKind::Bridge | LinkKind::Tap | LinkKind::Existing => None,
        }
    }

    /// Another link that will be there, and whose kind is the same.
    fn other(&self, name: &InterfaceName, same: impl Fn(&Kind) -> bool) -> Option<InterfaceName> {
        let staying = self.observed.links.iter().filter(|(other, _)| !self.doomed.contains(*other));
        let mut links = self.targets.iter().chain(staying);
        links.find(|(other, link)| *other != name && same(&link.kind)).map(|(other, _)| other.clone())
    }

    /// Whether a sub-interface can stand on its parent as that will be.
    fn parent(&self, name: &InterfaceName, parent: &InterfaceName, spec: &LinkSpec) -> Option<Conflict> {
        let staying = |link: &&Link| !self.doomed.contains(parent) && !link.is_owned_by(&self.network.owner);
        let below = self.targets.get(parent).or_else(|| self.observed.links.get(parent).filter(staying));
        let reason = match below {
            None => "is not there".to_owned(),
            Some(_) if depth(name, self.targets) > self.targets.len() => "stands on it in turn".to_owned(),
            Some(link) if !link.up => "is down".to_owned(),
            Some(link) if link.mtu < spec.mtu.bytes() => {
                format!("carries only {} bytes, and {} are wanted", link.mtu, spec.mtu)
            }
            Some(_) => return None,
        };
        Some(Conflict::ParentUnfit { name: name.clone(), parent: parent.clone(), reason })
    }

    /// Others' links that the kernel would delete with ours.
    fn stood_upon(&self, name: &InterfaceName) -> Vec<Conflict> {
        let stands = |link: &Link| link.kind.parent() == Some(name) && !link.is_owned_by(&self.network.owner);
        let standing = self.observed.links.iter().filter(|(_, link)| stands(link));
        standing.map(|(by, _)| Conflict::StoodUpon { name: name.clone(), standing: by.clone() }).collect()
    }
}
