//! What a machine's network should be. Plain values: the lab writes them, the machine's agent applies them.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};

/// Addresses and routes of one machine.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct NetworkConfig {
    /// The interfaces, in order.
    pub(crate) nics: Vec<NicConfig>,
    /// Routes beyond those that addresses bring.
    pub(crate) routes: Vec<RouteConfig>,
}

/// One interface of a machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NicConfig {
    /// The name that the kernel gave it, if it is another one (`vec0` in user-mode-linux).
    pub(crate) device: Option<String>,
    /// Its name.
    pub(crate) name: String,
    /// Its addresses, with prefix.
    pub(crate) addresses: Vec<IpNetwork>,
    /// Its MTU.
    pub(crate) mtu: u32,
}

/// A route.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RouteConfig {
    /// Where to.
    pub(crate) destination: IpNetwork,
    /// The way there.
    pub(crate) hop: Hop,
}

/// The first step of a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hop {
    /// The destination is on this interface's own segment.
    Link(String),
    /// A router.
    Gateway(IpAddr),
}

impl From<&str> for Hop {
    /// An address is a gateway, everything else an interface.
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Link(text.to_owned()), Self::Gateway)
    }
}
