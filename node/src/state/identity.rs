//! The machine's key and certificate: which fits which, also after a crash.

use std::path::Path;

use landbridge_pki::{CertificateFacts, KeyPair};
use secrecy::{ExposeSecret as _, SecretString};

use super::{State, StateError, replace};
use crate::wire::Identity;

/// A machine that belongs to the cluster.
#[derive(Clone, Debug)]
pub struct Member {
    /// Who it is.
    pub identity: Identity,
    /// Its private key (PKCS#8, PEM).
    pub key_pem: SecretString,
    /// What its certificate says.
    pub facts: CertificateFacts,
}

impl State {
    /// Who the machine is; `None` before its first join.
    ///
    /// `identity.json` is the point of no return of a join or a renewal: a crash right behind it leaves the key that
    /// fits under the name of the next one, and here it gets its own.
    pub fn member(&self) -> Result<Option<Member>, StateError> {
        let Some(identity) = replace::read_json::<Identity>(&self.paths.identity())? else { return Ok(None) };
        let facts = CertificateFacts::from_pem(&identity.certificate_pem)?;
        for path in [self.paths.key(), self.paths.next_key()] {
            let Some(key) = read_key(&path)? else { continue };
            if key.pin() == facts.spki_sha256 {
                if path == self.paths.next_key() {
                    self.promote_key()?;
                }
                return Ok(Some(Member { identity, key_pem: key.to_pem(), facts }));
            }
        }
        Err(StateError::KeyLost(self.paths.state.clone()))
    }

    /// The key for a request: the one of a request that was interrupted, else a new one. It is on disk (0600) before it
    /// is used, so that the same request can be sent again.
    pub fn key_for_request(&self) -> Result<KeyPair, StateError> {
        if let Some(key) = read_key(&self.paths.next_key())? {
            return Ok(key);
        }
        let key = KeyPair::generate()?;
        replace::write(&self.paths.next_key(), key.to_pem().expose_secret().as_bytes())?;
        Ok(key)
    }

    /// Keeps what a request with [`Self::key_for_request`] got.
    pub fn keep_identity(&self, identity: &Identity) -> Result<Member, StateError> {
        replace::write_json(&self.paths.identity(), identity)?;
        self.member().map(|member| member.expect("it was just written"))
    }

    fn promote_key(&self) -> Result<(), StateError> {
        let (from, to) = (self.paths.next_key(), self.paths.key());
        replace::rename(&from, &to).map_err(StateError::io("renaming", &from))
    }
}

fn read_key(path: &Path) -> Result<Option<KeyPair>, StateError> {
    let Some(text) = replace::read(path)? else { return Ok(None) };
    Ok(Some(KeyPair::from_pem(&SecretString::from(text))?))
}
