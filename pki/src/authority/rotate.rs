//! A new key for the authority, with an overlap.
//!
//! 1. **Begin** ([`Authority::rotate`]). New certificates come from the new generation; both are trusted. The old key has done its
//!    last work, a certificate for the new one, and is destroyed.
//! 2. **The front-end** takes a new certificate at once and serves it with [`Register::server_chain_pem`]: nodes that know only
//!    the old authority, and tokens with its pin, accept it through the cross-signed certificate.
//! 3. **Nodes renew**: [`crate::CertificateFacts::superseded_by_rotation`] tells them to, whatever their certificate's age.
//!    [`Register::rotation_status`] tells who hasn't.
//! 4. **Finish** ([`Register::retire_old`]): only the new one is trusted.

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::generation::{self, Generation};
use super::layout::{self, Overlap, State};
use super::{Authority, AuthorityError, CertificateState, Register, Revocation, StorageError, create};
use crate::{AuthorityId, CertificateFacts, FactsError, KeyPair, NodeName, Serial};

/// What [`Authority::rotate`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// There is a new generation.
    Begun(AuthorityId),
    /// A rotation was under way already; nothing changed.
    UnderWay(AuthorityId),
}

/// How far a rotation is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "phase")]
pub enum RotationStatus {
    /// One generation, trusted by everybody.
    Settled {
        /// The generation.
        authority: AuthorityId,
        /// When it ends.
        not_after: Timestamp,
    },
    /// Two generations are trusted.
    Overlap {
        /// The one that issues.
        authority: AuthorityId,
        /// The one before.
        old: AuthorityId,
        /// When the rotation began.
        since: Timestamp,
        /// Machines with a certificate of the new one.
        renewed: Vec<NodeName>,
        /// Machines that would be locked out if the old one were retired now.
        waiting: Vec<NodeName>,
    },
}

/// What to do with machines that have not renewed when the old generation is retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leftovers {
    /// Refuse, and name them.
    Refuse,
    /// Lock them out; each needs a new token.
    LockOut,
}

/// What [`Register::retire_old`] did.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Retired {
    /// The generation that is trusted no more; `None` when no rotation was under way and nothing changed.
    pub authority: Option<AuthorityId>,
    /// Its certificates that were still live, revoked now.
    pub revoked: Vec<Serial>,
}

impl Authority {
    /// Begins a rotation. The passphrase must be the one that opens the current key; it protects the new one too.
    pub fn rotate(&mut self, passphrase: &SecretString, now: Timestamp) -> Result<Rotation, AuthorityError> {
        create::read_key(&self.register, passphrase)?;
        if self.register.state.rotation.is_some() {
            return Ok(Rotation::UnderWay(self.register.current.id.clone()));
        }
        let cluster = self.register.cluster();
        let key = KeyPair::generate()?;
        let pem = generation::self_signed(cluster, &key, now)?;
        let cross = generation::cross_signed(cluster, &key, now, &self.register.current, &self.key)?;
        let id = create::write_generation(&self.register.storage, &key, passphrase, &pem, cross.as_deref())?;
        let overlap = Overlap { old: self.register.current.id.clone(), since: now };
        let state = State { current: id.clone(), rotation: Some(overlap), ..self.register.state.clone() };
        let new = Generation::read(self.register.storage.root(), &id)?;
        state.commit(&self.register.storage)?;
        let old = std::mem::replace(&mut self.register.current, new);
        self.register.old = Some(old);
        self.register.state = state;
        self.key = key;
        layout::sweep(self.register.storage.root(), Some(&self.register.state))?;
        Ok(Rotation::Begun(id))
    }
}

impl Register {
    /// How far a rotation is.
    pub fn rotation_status(&self, now: Timestamp) -> Result<RotationStatus, StorageError> {
        let authority = self.current.id.clone();
        let Some(Overlap { old, since }) = self.state.rotation.clone() else {
            return Ok(RotationStatus::Settled { authority, not_after: self.current.not_after });
        };
        let records = self.list(now)?;
        let holders = |generation: &AuthorityId| {
            let valid = records.iter().filter(|r| r.state == CertificateState::Valid);
            let mut names: Vec<NodeName> =
                valid.map(|r| &r.certificate).filter(|c| c.authority == *generation).map(|c| c.name.clone()).collect();
            names.dedup();
            names
        };
        let renewed = holders(&authority);
        let waiting = holders(&old).into_iter().filter(|name| !renewed.contains(name)).collect();
        Ok(RotationStatus::Overlap { authority, old, since, renewed, waiting })
    }

    /// Ends a rotation: only the new generation is trusted, and what the old one issued is revoked.
    pub fn retire_old(&mut self, leftovers: Leftovers, now: Timestamp) -> Result<Retired, AuthorityError> {
        let RotationStatus::Overlap { old, waiting, .. } = self.rotation_status(now)? else {
            return Ok(Retired::default());
        };
        if leftovers == Leftovers::Refuse && !waiting.is_empty() {
            return Err(still_needed(old, &waiting));
        }
        let revoked = self.revoke(&Revocation::Authority(old.clone()), now)?;
        let state = State { rotation: None, ..self.state.clone() };
        state.commit(&self.storage)?;
        self.state = state;
        self.old = None;
        self.current.cross_pem = None;
        layout::sweep(self.storage.root(), Some(&self.state))?;
        Ok(Retired { authority: Some(old), revoked })
    }

    /// What a server sends: its certificate, then what leads from it to everybody's trust, anchors included, since a node with a
    /// token knows no more of its anchor than the pin.
    ///
    /// During a rotation the new generation stands in it cross-signed and not self-signed: OpenSSL takes the first issuer that
    /// fits, and with a self-signed one a node that knows only the old generation would find no way. Its pin is the same.
    pub fn server_chain_pem(&self, certificate_pem: &str) -> Result<String, FactsError> {
        let issuer = CertificateFacts::from_pem(certificate_pem)?.authority;
        let way = match (&self.old, &self.current.cross_pem) {
            (Some(old), _) if old.id == issuer => old.pem.clone(),
            (Some(old), Some(cross)) => format!("{cross}{}", old.pem),
            _ => self.current.pem.clone(),
        };
        Ok(format!("{certificate_pem}{way}"))
    }
}

fn still_needed(authority: AuthorityId, waiting: &[NodeName]) -> AuthorityError {
    const SHOWN: usize = 5;
    let mut examples: Vec<&str> = waiting.iter().take(SHOWN).map(NodeName::as_str).collect();
    if waiting.len() > SHOWN {
        examples.push("…");
    }
    AuthorityError::StillNeeded { authority, count: waiting.len(), examples: examples.join(", ") }
}
