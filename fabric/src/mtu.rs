//! The size of the largest packet that a link carries.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What VXLAN over IPv4 adds to a packet, in bytes: inner Ethernet (14), VXLAN (8), UDP (8), outer IPv4 (20). RFC 7348, section 5.
pub const VXLAN_OVERHEAD: u32 = 50;

/// A link's MTU in bytes: 576 (the least every IPv4 host takes, RFC 791) to 65,535.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Mtu(u32);

impl Mtu {
    /// Ethernet's own: 1,500 bytes.
    pub const ETHERNET: Self = Self(1500);

    /// Checks the range.
    pub fn new(bytes: u32) -> Result<Self, MtuError> {
        if (576..=65_535).contains(&bytes) { Ok(Self(bytes)) } else { Err(MtuError(bytes)) }
    }

    /// The size in bytes.
    pub fn bytes(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Mtu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u32> for Mtu {
    type Error = MtuError;

    fn try_from(bytes: u32) -> Result<Self, MtuError> {
        Self::new(bytes)
    }
}

impl From<Mtu> for u32 {
    fn from(mtu: Mtu) -> Self {
        mtu.0
    }
}

/// A number that is no MTU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an MTU of {0} bytes is out of range: 576 to 65535")]
pub struct MtuError(pub u32);
