//! What a machine's network should be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;
use serde::{Deserialize, Serialize};

use crate::{InterfaceName, Mtu};

/// Whose links these are: the cluster's name. It is written into the alias of every link that we create
/// (`landbridge:OWNER`), and only links that carry it are ever changed or deleted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owner(pub String);

impl Owner {
    /// The alias that marks a link as this owner's.
    pub fn alias(&self) -> String {
        format!("landbridge:{}", self.0)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Every link that one machine should have for one owner. Links that it doesn't name, and that carry the owner's tag,
/// go; everything else on the machine stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Whose links these are.
    pub owner: Owner,
    /// The links by name.
    pub links: BTreeMap<InterfaceName, LinkSpec>,
}

impl Network {
    /// The network of a machine that has left: nothing of ours.
    pub fn empty(owner: Owner) -> Self {
        Self { owner, links: BTreeMap::new() }
    }
}

/// One link as it should be. Every link of ours is administratively up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkSpec {
    /// What it is.
    pub kind: LinkKind,
    /// Set explicitly, on bridges too: a bridge left alone follows its smallest port.
    pub mtu: Mtu,
    /// The bridge whose port it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<InterfaceName>,
    /// Addresses with their prefix length.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub addresses: BTreeSet<Ipv4Network>,
}

/// What a link is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkKind {
    /// A bridge without spanning tree.
    Bridge,
    /// A VXLAN end point (RFC 7348) with unicast flooding: one all-zero FDB entry for every other member.
    Vxlan {
        /// The network's identifier.
        vni: Vni,
        /// Our address on the underlay.
        local: Ipv4Addr,
        /// The UDP port of every member; 4789 by IANA.
        port: u16,
        /// The underlay addresses of every other member.
        flood: BTreeSet<Ipv4Addr>,
    },
    /// An IEEE 802.1Q sub-interface.
    Vlan {
        /// The VLAN's identifier.
        id: VlanId,
        /// The link that carries the tagged frames. Never changed.
        parent: InterfaceName,
    },
    /// A persistent tap (`TUNSETPERSIST`), which outlives the program that opens it.
    Tap,
    /// A NIC that is there already. It is adopted (controller, MTU, up, addresses) and given back as it was; it is
    /// never created or deleted.
    Existing,
}

/// A VXLAN network identifier: 0 to 2^24-1 (RFC 7348).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Vni(u32);

/// An IEEE 802.1Q VLAN identifier: 1 to 4094.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct VlanId(u16);

/// An identifier out of its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value} is out of range: {least} to {most}")]
pub struct IdError {
    /// Which identifier.
    pub what: &'static str,
    /// The number as given.
    pub value: u32,
    /// The least that is allowed.
    pub least: u32,
    /// The most that is allowed.
    pub most: u32,
}

impl Vni {
    /// Checks the range.
    pub fn new(value: u32) -> Result<Self, IdError> {
        if value < 1 << 24 {
            Ok(Self(value))
        } else {
            Err(IdError { what: "VNI", value, least: 0, most: (1 << 24) - 1 })
        }
    }

    /// The identifier as a number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl VlanId {
    /// Checks the range.
    pub fn new(value: u16) -> Result<Self, IdError> {
        if (1..=4094).contains(&value) {
            Ok(Self(value))
        } else {
            Err(IdError { what: "VLAN id", value: u32::from(value), least: 1, most: 4094 })
        }
    }

    /// The identifier as a number.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u32> for Vni {
    type Error = IdError;

    fn try_from(value: u32) -> Result<Self, IdError> {
        Self::new(value)
    }
}

impl From<Vni> for u32 {
    fn from(vni: Vni) -> Self {
        vni.0
    }
}

impl TryFrom<u16> for VlanId {
    type Error = IdError;

    fn try_from(value: u16) -> Result<Self, IdError> {
        Self::new(value)
    }
}

impl From<VlanId> for u16 {
    fn from(id: VlanId) -> Self {
        id.0
    }
}
