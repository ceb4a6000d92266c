//! Revoking certificates.

use jiff::Timestamp;

use super::{AuthorityError, Register, StorageError, storage};
use crate::{AuthorityId, CertificateFacts, NodeName, Serial};

/// What to revoke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// Every live certificate of a machine.
    Name(NodeName),
    /// One certificate.
    Serial(Serial),
    /// Every live certificate of a machine but one.
    AllBut(NodeName, Serial),
    /// Every live certificate that a generation of the authority issued.
    Authority(AuthorityId),
}

impl Revocation {
    /// Whether it means this certificate. One that has ended is refused anyhow, and is revoked only by its number.
    fn means(&self, facts: &CertificateFacts, now: Timestamp) -> bool {
        let live = facts.not_after > now;
        match self {
            Self::Serial(serial) => facts.serial == *serial,
            Self::Name(name) => live && facts.name == *name,
            Self::AllBut(name, serial) => live && facts.name == *name && facts.serial != *serial,
            Self::Authority(authority) => live && facts.authority == *authority,
        }
    }
}

impl Register {
    /// Revokes certificates, for ever. Returns those that were not revoked before: none when all of it was done already.
    /// On disk, and so refused by OpenVPN from the next handshake on, when this returns; cutting live sessions is not ours.
    ///
    /// Errors: a name or a number that was never issued.
    pub fn revoke(&mut self, what: &Revocation, now: Timestamp) -> Result<Vec<Serial>, AuthorityError> {
        self.refuse_unknown(what)?;
        let revoked = self.revoked_serials()?;
        let meant = self.issued.all().filter(|facts| what.means(facts, now)).map(|facts| facts.serial);
        let new: Vec<Serial> = meant.filter(|serial| !revoked.contains(serial)).collect();
        for serial in &new {
            storage::create_marker(&self.revoked_dir().join(serial.to_string()))?;
        }
        Ok(new)
    }

    /// Whether a certificate is revoked.
    pub fn revoked(&self, serial: Serial) -> Result<bool, StorageError> {
        Ok(storage::read(&self.revoked_dir().join(serial.to_string()))?.is_some())
    }

    fn refuse_unknown(&self, what: &Revocation) -> Result<(), AuthorityError> {
        let known = |name: &NodeName| self.issued.of(name).next().is_some();
        match what {
            Revocation::Name(name) if !known(name) => Err(AuthorityError::UnknownName(name.clone())),
            Revocation::Serial(serial) if !self.issued.contains(*serial) => Err(AuthorityError::UnknownSerial(*serial)),
            _ => Ok(()),
        }
    }
}
