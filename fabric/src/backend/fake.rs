//! A kernel in memory, with the habits of the real one that matter here.

use std::collections::{BTreeMap, BTreeSet};

use nix::errno::Errno;

use super::{Backend, BackendError, Refusal};
use crate::feature::Feature;
use crate::{Change, InterfaceName, Kind, Link, Observed, Step};

/// What a bridge without ports has (`ETH_DATA_LEN`).
const ETHERNET_MTU: u32 = 1500;

/// The fake kernel. Its habits: a bridge follows its smallest port until its MTU is set; deleting a bridge frees its ports;
/// deleting a link deletes what stands on it; a sub-interface is never larger than its parent, nor up without it;
/// `EEXIST`, `ENODEV` and `EADDRNOTAVAIL` where the kernel says so.
#[derive(Clone, Debug, Default)]
pub struct Fake {
    links: BTreeMap<InterfaceName, Link>,
    /// Bridges whose MTU was set, and which follow nobody any more.
    fixed: BTreeSet<InterfaceName>,
    /// Features that this kernel lacks.
    pub lacks: BTreeSet<Feature>,
}

impl Fake {
    /// A machine with these links, none of which we made.
    pub fn with(links: impl IntoIterator<Item = (InterfaceName, Link)>) -> Self {
        Self { links: links.into_iter().collect(), ..Self::default() }
    }

    /// Everything that is there, for others to change behind our back.
    pub fn links_mut(&mut self) -> &mut BTreeMap<InterfaceName, Link> {
        &mut self.links
    }

    fn link(&mut self, name: &InterfaceName) -> Result<&mut Link, Errno> {
        self.links.get_mut(name).ok_or(Errno::ENODEV)
    }

    fn create(&mut self, name: &InterfaceName, link: &Link) -> Result<(), Errno> {
        if self.links.contains_key(name) || self.links.values().any(|other| collides(&other.kind, &link.kind)) {
            return Err(Errno::EEXIST);
        }
        if Feature::of(&link.kind).is_none_or(|feature| self.lacks.contains(&feature)) {
            return Err(Errno::EOPNOTSUPP);
        }
        if let Kind::Vlan { parent, .. } = &link.kind {
            let parent = parent.as_ref().and_then(|parent| self.links.get(parent)).ok_or(Errno::ENODEV)?;
            Self::check_parent(parent, link.mtu, link.up)?;
        }
        if let Some(controller) = &link.controller {
            self.check_controller(controller)?;
        }
        self.links.insert(name.clone(), link.clone());
        self.fixed.insert(name.clone());
        self.follow_ports(link.controller.as_ref());
        Ok(())
    }

    fn delete(&mut self, name: &InterfaceName) -> Result<(), Errno> {
        let gone = self.links.remove(name).ok_or(Errno::ENODEV)?;
        self.fixed.remove(name);
        let standing = |link: &&Link| link.kind.parent() == Some(name);
        let standing: Vec<_> = self.links.iter().filter(|(_, l)| standing(l)).map(|(name, _)| name.clone()).collect();
        standing.iter().try_for_each(|name| self.delete(name))?;
        for port in self.links.values_mut().filter(|link| link.controller.as_ref() == Some(name)) {
            port.controller = None;
        }
        self.follow_ports(gone.controller.as_ref());
        Ok(())
    }

    fn claim(&mut self, name: &InterfaceName, wanted: &Link) -> Result<(), Errno> {
        let link = self.link(name)?;
        if link.kind != wanted.kind || link.alias.is_some() {
            return Err(Errno::ENODEV);
        }
        link.alias.clone_from(&wanted.alias);
        Ok(())
    }

    fn set(&mut self, name: &InterfaceName, change: &Change) -> Result<(), Errno> {
        match change {
            Change::Mtu { to, .. } => self.set_mtu(name, *to),
            Change::Controller { to, .. } => {
                to.as_ref().map_or(Ok(()), |to| self.check_controller(to))?;
                let from = std::mem::replace(&mut self.link(name)?.controller, to.clone());
                self.follow_ports(from.as_ref());
                self.follow_ports(to.as_ref());
                Ok(())
            }
            Change::Up(up) => {
                let link = self.link(name)?.clone();
                let parent = link.kind.parent().and_then(|parent| self.links.get(parent));
                parent.map_or(Ok(()), |parent| Self::check_parent(parent, link.mtu, *up))?;
                self.link(name)?.up = *up;
                Ok(())
            }
            Change::AddAddress(address) => must(self.link(name)?.addresses.insert(*address), Errno::EEXIST),
            Change::RemoveAddress(address) => must(self.link(name)?.addresses.remove(address), Errno::EADDRNOTAVAIL),
            // The kernel is content when the entry is there already.
            Change::AddFlood(remote) => self.link(name).map(|link| _ = link.flood.insert(*remote)),
            Change::RemoveFlood(remote) => must(self.link(name)?.flood.remove(remote), Errno::ENOENT),
        }
    }

    fn set_mtu(&mut self, name: &InterfaceName, mtu: u32) -> Result<(), Errno> {
        let link = self.link(name)?.clone();
        let parent = link.kind.parent().and_then(|parent| self.links.get(parent));
        parent.map_or(Ok(()), |parent| Self::check_parent(parent, mtu, false))?;
        // Setting what is there already changes nothing, and fixes nothing.
        if link.mtu != mtu {
            self.link(name)?.mtu = mtu;
            self.fixed.insert(name.clone());
        }
        for standing in self.links.values_mut().filter(|link| link.kind.parent() == Some(name)) {
            standing.mtu = standing.mtu.min(mtu);
        }
        self.follow_ports(link.controller.as_ref());
        Ok(())
    }

    fn check_parent(parent: &Link, mtu: u32, up: bool) -> Result<(), Errno> {
        must(mtu <= parent.mtu, Errno::ERANGE)?;
        must(parent.up || !up, Errno::ENETDOWN)
    }

    fn check_controller(&self, controller: &InterfaceName) -> Result<(), Errno> {
        let controller = self.links.get(controller).ok_or(Errno::ENODEV)?;
        must(controller.kind == Kind::Bridge, Errno::EOPNOTSUPP)
    }

    fn follow_ports(&mut self, bridge: Option<&InterfaceName>) {
        let Some(bridge) = bridge.filter(|bridge| !self.fixed.contains(*bridge)) else { return };
        let ports = self.links.values().filter(|link| link.controller.as_ref() == Some(bridge));
        let mtu = ports.map(|link| link.mtu).min().unwrap_or(ETHERNET_MTU);
        if let Some(link) = self.links.get_mut(bridge) {
            link.mtu = mtu;
        }
    }
}

impl Backend for Fake {
    async fn observe(&mut self) -> Result<Observed, BackendError> {
        Ok(Observed { links: self.links.clone() })
    }

    async fn perform(&mut self, step: &Step) -> Result<(), BackendError> {
        let result = match step {
            Step::Adopt { .. } | Step::Release { .. } => Ok(()),
            Step::Create { name, link } => self.create(name, link),
            Step::Claim { name, link } => self.claim(name, link),
            Step::Delete { name, link } => {
                if self.links.get(name).is_some_and(|found| found.alias != link.alias) {
                    return Err(BackendError::of(step, Refusal::Gone));
                }
                self.delete(name)
            }
            Step::Set { name, change } => self.set(name, change),
        };
        result.map_err(|errno| BackendError::of(step, Refusal::errno(errno)))
    }

    async fn supports(&mut self, feature: Feature) -> Result<bool, BackendError> {
        Ok(!self.lacks.contains(&feature))
    }
}

fn must(holds: bool, otherwise: Errno) -> Result<(), Errno> {
    if holds { Ok(()) } else { Err(otherwise) }
}

/// Whether the kernel can't have both: one VXLAN for a VNI and port, one sub-interface for an id and parent.
fn collides(one: &Kind, other: &Kind) -> bool {
    match (one, other) {
        (Kind::Vxlan { vni: a, port: p, .. }, Kind::Vxlan { vni: b, port: q, .. }) => (a, p) == (b, q),
        (Kind::Vlan { .. }, Kind::Vlan { .. }) => one == other,
        _ => false,
    }
}
