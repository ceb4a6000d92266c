//! A change of one attribute: what undoes it, and how it reads.

use std::fmt;
use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;
use serde::{Deserialize, Serialize};

use crate::{InterfaceName, Link};

/// A change of one attribute of a link that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// The MTU in bytes.
    Mtu {
        /// Before.
        from: u32,
        /// After.
        to: u32,
    },
    /// Whose port it is.
    Controller {
        /// Before.
        from: Option<InterfaceName>,
        /// After.
        to: Option<InterfaceName>,
    },
    /// Administratively up, or down.
    Up(bool),
    /// One more address.
    AddAddress(Ipv4Network),
    /// One address less; others of its subnet stay.
    RemoveAddress(Ipv4Network),
    /// One more all-zero FDB entry.
    AddFlood(Ipv4Addr),
    /// One all-zero FDB entry less.
    RemoveFlood(Ipv4Addr),
}

impl Change {
    pub(crate) fn inverse(self) -> Self {
        match self {
            Self::Mtu { from, to } => Self::Mtu { from: to, to: from },
            Self::Controller { from, to } => Self::Controller { from: to, to: from },
            Self::Up(up) => Self::Up(!up),
            Self::AddAddress(address) => Self::RemoveAddress(address),
            Self::RemoveAddress(address) => Self::AddAddress(address),
            Self::AddFlood(remote) => Self::RemoveFlood(remote),
            Self::RemoveFlood(remote) => Self::AddFlood(remote),
        }
    }

    pub(crate) fn operation(&self) -> String {
        match self {
            Self::Mtu { to, .. } => format!("set mtu {to} of"),
            Self::Controller { to: Some(to), .. } => format!("attach to {to} the port"),
            Self::Controller { from, to: None } => {
                format!("detach from {} the port", from.as_ref().map_or("its controller", InterfaceName::as_str))
            }
            Self::Up(true) => "set up".into(),
            Self::Up(false) => "set down".into(),
            Self::AddAddress(address) => format!("add address {address} to"),
            Self::RemoveAddress(address) => format!("remove address {address} from"),
            Self::AddFlood(remote) => format!("add flood entry {remote} to"),
            Self::RemoveFlood(remote) => format!("remove flood entry {remote} from"),
        }
    }

    pub(crate) fn apply_to(&self, link: &mut Link) {
        match self {
            Self::Mtu { to, .. } => link.mtu = *to,
            Self::Controller { to, .. } => link.controller.clone_from(to),
            Self::Up(up) => link.up = *up,
            Self::AddAddress(address) => _ = link.addresses.insert(*address),
            Self::RemoveAddress(address) => _ = link.addresses.remove(address),
            Self::AddFlood(remote) => _ = link.flood.insert(*remote),
            Self::RemoveFlood(remote) => _ = link.flood.remove(remote),
        }
    }

    pub(crate) fn holds_in(&self, link: &Link) -> bool {
        let mut after = link.clone();
        self.apply_to(&mut after);
        after == *link
    }

    /// The plan's line.
    pub(crate) fn write(&self, name: &InterfaceName, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mtu { from, to } => write!(f, "~ {name} mtu {from} => {to}"),
            Self::Controller { from, to } => {
                let text = |c: &Option<InterfaceName>| c.as_ref().map_or("none".into(), ToString::to_string);
                write!(f, "~ {name} controller {} => {}", text(from), text(to))
            }
            Self::Up(true) => write!(f, "~ {name} down => up"),
            Self::Up(false) => write!(f, "~ {name} up => down"),
            Self::AddAddress(address) => write!(f, "+ {name} address {address}"),
            Self::RemoveAddress(address) => write!(f, "- {name} address {address}"),
            Self::AddFlood(remote) => write!(f, "+ {name} flood {remote}"),
            Self::RemoveFlood(remote) => write!(f, "- {name} flood {remote}"),
        }
    }
}
