//! The front-end's half: an authority as a directory.
//!
//! ```text
//! DIR/                        0700, no other user may write
//!   authority.json            the cluster, the current generation and, during a rotation, the one before
//!   authorities/ID/           one generation: certificate.pem, key.pem (encrypted), cross.pem (during a rotation)
//!   issued/SERIAL.pem         every certificate that was issued
//!   revoked/SERIAL            empty; for OpenVPN's `crl-verify DIR/revoked dir`; nothing in it ever expires
//!   staging/                  files that are being written
//!   lock                      one process at a time
//! ```
//!
//! `authority.json` is the commit point: a generation counts once it is named there, and what isn't named is swept up at the
//! next start. Every file is written aside, synced, and renamed.
//!
//! Everything here is synchronous. Issuing takes one signature and two syncs; only opening and rotating derive a key from the
//! passphrase, which takes a while on purpose.

mod catalogue;
mod check;
#[cfg(test)]
mod crash;
mod create;
mod error;
mod generation;
mod issue;
mod layout;
mod register;
mod request;
mod revoke;
mod rotate;
mod seal;
mod spec;
mod storage;

pub use check::{Breakage, Broken};
pub use error::{AuthorityError, IssueError, RequestError};
pub use generation::AUTHORITY_LIFE;
pub use issue::{CLOCK_ALLOWANCE, Issued};
pub use register::{CertificateState, Record, Register};
pub use request::{MAX_CSR_BYTES, pin_of_request};
pub use revoke::Revocation;
pub use rotate::{Leftovers, Retired, Rotation, RotationStatus};
pub use spec::{AltName, AltNameError, CertificateSpec, DnsName, Previous, default_life};
pub use storage::StorageError;

use crate::KeyPair;

/// The authority with its key: it can issue and rotate. Everything else needs no key and is the [`Register`]'s.
#[derive(Debug)]
pub struct Authority {
    register: Register,
    key: KeyPair,
}

impl Authority {
    /// What was issued and revoked, and whom to trust.
    pub fn register(&self) -> &Register {
        &self.register
    }

    /// The same, to revoke or to end a rotation.
    pub fn register_mut(&mut self) -> &mut Register {
        &mut self.register
    }
}

/// A daemon keeps it behind a mutex and calls it from any thread.
const _: fn() = || {
    fn send<T: Send + Sync>() {}
    send::<Authority>();
    send::<Register>();
};
