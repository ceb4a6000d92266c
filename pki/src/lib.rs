//! The certificate authority of one cluster. It knows nothing of networks.
//!
//! Without the feature `authority` it is the node's half alone: key pairs, requests, what a certificate says, when it is
//! due for renewal, and the hash that pins the authority. That half links no C library.

#![forbid(unsafe_code)]

#[cfg(feature = "authority")]
pub mod authority;
mod facts;
mod key;
mod name;
mod pin;
mod serial;

#[cfg(feature = "authority")]
pub use authority::Authority;
pub use facts::{CertificateFacts, FactsError};
pub use key::{KeyError, KeyPair};
pub use name::{NodeName, NodeNameError, Role, RoleError};
pub use pin::{AuthorityId, AuthorityIdError, Pin, certificates_of_bundle, pin_of_certificate};
pub use serial::{Serial, SerialError};
