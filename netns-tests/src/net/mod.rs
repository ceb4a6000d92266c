//! The lab's plumbing: unnamed network namespaces, bridges, veth pairs and taps, all through netlink.

pub(crate) mod config;
pub(crate) mod configure;
pub(crate) mod link;
pub(crate) mod netlink;
pub(crate) mod netns;
mod network;
pub(crate) mod tap;

pub use network::Network;
