//! The certificate authority of one cluster. It knows nothing of networks.
//!
//! Without the feature `authority` it is the node's half alone: key pairs, requests, and the hash that pins the authority.

#![forbid(unsafe_code)]

mod name;

pub use name::{NodeName, NodeNameError, Role};
