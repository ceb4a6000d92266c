//! The server's own certificate and key.

use std::fmt;

use super::files::{FileError, Files, replace};

/// What the server proves itself with.
#[derive(Clone, Copy)]
pub struct ServerIdentity<'a> {
    /// Its certificate for the front-end's name, and during a rotation what leads from it to what workers trust (PEM).
    pub certificate_pem: &'a str,
    /// Its private key (PEM).
    pub key_pem: &'a str,
    /// Every authority whose workers are taken (PEM; two during a rotation).
    pub trust_pem: &'a str,
}

impl fmt::Debug for ServerIdentity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerIdentity").finish_non_exhaustive()
    }
}

/// Writes the identity where the servers read it; says whether anything had to change. The directory must be there.
/// A change takes effect when the servers are restarted, which applying [`super::resources`] does.
pub fn install_identity(files: &Files, identity: ServerIdentity<'_>) -> Result<bool, FileError> {
    let trust = replace(&files.trust(), identity.trust_pem.as_bytes(), 0o644)?;
    let certificate = replace(&files.certificate(), identity.certificate_pem.as_bytes(), 0o644)?;
    let key = replace(&files.key(), identity.key_pem.as_bytes(), 0o600)?;
    Ok(trust || certificate || key)
}
