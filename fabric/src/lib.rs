//! A machine's network: what it should be, what it is, and the plan between the two.
//!
//! This crate stands on the ground: it knows the kernel (through netlink) and nothing of clusters, keys or workers.

#![forbid(unsafe_code)]

mod mtu;
mod name;
mod spec;

pub use mtu::{Mtu, MtuError};
pub use name::{InterfaceName, NameError};
pub use spec::{IdError, LinkKind, LinkSpec, Network, Owner, VlanId, Vni};
