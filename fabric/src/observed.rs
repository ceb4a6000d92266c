//! What the kernel has, in the same terms as what we want, so that the two can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;
use serde::{Deserialize, Serialize};

use crate::{InterfaceName, LinkKind, LinkSpec, Owner, VlanId, Vni};

/// Every link of a machine (of one network namespace), ours and everybody else's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// The links by name.
    pub links: BTreeMap<InterfaceName, Link>,
}

/// One link, as it is or as it should be. The kernel's index and the hardware address are no part of it: two links that
/// do the same are equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What it is; can't be changed, only replaced.
    pub kind: Kind,
    /// In bytes. Not [`crate::Mtu`]: links of others may have any (`lo` has 65,536).
    pub mtu: u32,
    /// Administratively up.
    pub up: bool,
    /// Whose port it is.
    pub controller: Option<InterfaceName>,
    /// IPv4 addresses.
    pub addresses: BTreeSet<Ipv4Network>,
    /// VXLAN only: where frames for everybody go (the all-zero FDB entries).
    pub flood: BTreeSet<Ipv4Addr>,
    /// The kernel's `ifalias`, in which we keep the owner's tag.
    pub alias: Option<String>,
}

/// What a link is, with all that can't be changed while it lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A bridge.
    Bridge,
    /// A VXLAN end point.
    Vxlan {
        /// The network's identifier.
        vni: Vni,
        /// Its address on the underlay; others may have none.
        local: Option<Ipv4Addr>,
        /// The UDP port.
        port: u16,
    },
    /// An IEEE 802.1Q sub-interface.
    Vlan {
        /// The VLAN's identifier.
        id: VlanId,
        /// What it stands on; `None` when that is in another network namespace.
        parent: Option<InterfaceName>,
    },
    /// A persistent tap.
    Tap,
    /// Anything that we never make: NICs, veths, bonds, taps that end with their program.
    Other {
        /// The kernel's word for it; `nic` where it has none.
        name: String,
        /// What it stands on, as a macvlan does.
        parent: Option<InterfaceName>,
    },
}

impl Observed {
    /// The links that are ports of `controller`.
    pub fn ports<'a>(&'a self, controller: &'a InterfaceName) -> impl Iterator<Item = &'a InterfaceName> + 'a {
        self.links.iter().filter(move |(_, link)| link.controller.as_ref() == Some(controller)).map(|(name, _)| name)
    }

    /// The links that carry this owner's tag.
    pub fn owned_by<'a>(&'a self, owner: &'a Owner) -> impl Iterator<Item = (&'a InterfaceName, &'a Link)> + 'a {
        self.links.iter().filter(move |(_, link)| link.is_owned_by(owner))
    }
}

impl Link {
    /// The link that `spec` wishes for, with its owner's tag. `None` for a NIC that is to be adopted: what becomes of
    /// it depends on what it is.
    pub fn desired(owner: &Owner, spec: &LinkSpec) -> Option<Self> {
        let (kind, flood) = match &spec.kind {
            LinkKind::Bridge => (Kind::Bridge, BTreeSet::new()),
            LinkKind::Vxlan { vni, local, port, flood } => {
                (Kind::Vxlan { vni: *vni, local: Some(*local), port: *port }, flood.clone())
            }
            LinkKind::Vlan { id, parent } => (Kind::Vlan { id: *id, parent: Some(parent.clone()) }, BTreeSet::new()),
            LinkKind::Tap => (Kind::Tap, BTreeSet::new()),
            LinkKind::Existing => return None,
        };
        Some(Self {
            kind,
            mtu: spec.mtu.bytes(),
            up: true,
            controller: spec.controller.clone(),
            addresses: spec.addresses.clone(),
            flood,
            alias: Some(owner.alias()),
        })
    }

    /// Whether this is a link that we made for `owner`: by its tag alone, and of a kind that we make. (A tag on a NIC is
    /// somebody's mistake, and no leave to delete it.)
    pub fn is_owned_by(&self, owner: &Owner) -> bool {
        self.alias.as_deref() == Some(&owner.alias()) && !matches!(self.kind, Kind::Other { .. })
    }
}

impl Kind {
    /// The link that this one stands on, and goes with.
    pub fn parent(&self) -> Option<&InterfaceName> {
        match self {
            Self::Vlan { parent, .. } | Self::Other { parent, .. } => parent.as_ref(),
            Self::Bridge | Self::Vxlan { .. } | Self::Tap => None,
        }
    }

    /// The kind in a word, without its attributes.
    pub fn word(&self) -> &str {
        match self {
            Self::Bridge => "bridge",
            Self::Vxlan { .. } => "vxlan",
            Self::Vlan { .. } => "vlan",
            Self::Tap => "tap",
            Self::Other { name, .. } => name,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        match self {
            Self::Vxlan { vni, local, port } => {
                write!(f, " vni {}", vni.get())?;
                if let Some(local) = local {
                    write!(f, " local {local}")?;
                }
                write!(f, " port {port}")
            }
            Self::Vlan { id, parent } => {
                write!(f, " id {}", id.get())?;
                parent.as_ref().map_or(Ok(()), |parent| write!(f, " on {parent}"))
            }
            Self::Bridge | Self::Tap | Self::Other { .. } => Ok(()),
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} mtu {}", self.kind, self.mtu)?;
        if let Some(controller) = &self.controller {
            write!(f, " controller {controller}")?;
        }
        for address in &self.addresses {
            write!(f, " address {address}")?;
        }
        if !self.flood.is_empty() {
            f.write_str(" flood")?;
            self.flood.iter().try_for_each(|remote| write!(f, " {remote}"))?;
        }
        if self.up { Ok(()) } else { f.write_str(" down") }
    }
}
