//! A machine's private key, made on the machine that uses it, and the request for a certificate.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DistinguishedName, PKCS_ECDSA_P256_SHA256, PublicKeyData as _};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::{Zeroize as _, Zeroizing};

use crate::Pin;
use crate::pin::sha256;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// An EC P-256 key pair. Its encoded form is wiped from memory when it is dropped, and `Debug` shows nothing of it.
pub struct KeyPair(rcgen::KeyPair);

impl KeyPair {
    /// A new key from the system's random source.
    pub fn generate() -> Result<Self, KeyError> {
        rcgen::KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map(Self).map_err(KeyError::Generate)
    }

    /// The key of a PEM text (PKCS#8, not encrypted).
    pub fn from_pem(pem: &SecretString) -> Result<Self, KeyError> {
        let text = pem.expose_secret();
        let body = text.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).ok_or(KeyError::Pem)?.0;
        let digits: Zeroizing<Vec<u8>> = Zeroizing::new(body.bytes().filter(|b| !b.is_ascii_whitespace()).collect());
        let der = Zeroizing::new(STANDARD.decode(&*digits).map_err(|_| KeyError::Pem)?);
        Self::from_der(&der)
    }

    /// The key as PEM (PKCS#8, not encrypted): for a file of mode 0600 on this machine, and for nobody else.
    pub fn to_pem(&self) -> SecretString {
        let digits = Zeroizing::new(STANDARD.encode(self.0.serialized_der()));
        let mut pem = String::with_capacity(digits.len() + digits.len() / 64 + BEGIN.len() + END.len() + 4);
        pem.push_str(BEGIN);
        for (i, digit) in digits.chars().enumerate() {
            if i % 64 == 0 {
                pem.push('\n');
            }
            pem.push(digit);
        }
        pem.push('\n');
        pem.push_str(END);
        pem.push('\n');
        SecretString::from(pem)
    }

    /// The request (PKCS#10, PEM). It proves that the key is ours, and asks for nothing: the authority decides.
    pub fn csr_pem(&self) -> Result<String, KeyError> {
        let mut request = CertificateParams::default();
        request.distinguished_name = DistinguishedName::new();
        request.serialize_request(&self.0).and_then(|csr| csr.pem()).map_err(KeyError::Request)
    }

    /// The hash of the public key, as [`crate::pin_of_certificate`] finds it in the certificate for this key.
    pub fn pin(&self) -> Pin {
        sha256(&self.0.subject_public_key_info())
    }

    pub(crate) fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let key = Self(rcgen::KeyPair::try_from(der).map_err(KeyError::Parse)?);
        if key.0.is_compatible(&PKCS_ECDSA_P256_SHA256) { Ok(key) } else { Err(KeyError::Curve) }
    }
}

#[cfg(feature = "authority")]
impl KeyPair {
    pub(crate) fn der(&self) -> &[u8] {
        self.0.serialized_der()
    }
}

#[cfg(feature = "authority")]
impl rcgen::SigningKey for KeyPair {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.0.sign(message)
    }
}

#[cfg(feature = "authority")]
impl rcgen::PublicKeyData for KeyPair {
    fn der_bytes(&self) -> &[u8] {
        self.0.der_bytes()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.0.algorithm()
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").finish_non_exhaustive()
    }
}

impl Drop for KeyPair {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Why there is no key or no request. It never repeats any of the key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The system gave no random numbers.
    #[error("making a private key")]
    Generate(#[source] rcgen::Error),
    /// Not a PEM text.
    #[error("reading a private key: it is no PEM text of PKCS#8 (`{BEGIN}`)")]
    Pem,
    /// Not a key.
    #[error("reading a private key: it is damaged, or of a kind that is not supported")]
    Parse(#[source] rcgen::Error),
    /// A key of another kind.
    #[error("reading a private key: it is not on the curve P-256")]
    Curve,
    /// Signing failed.
    #[error("making a certificate request")]
    Request(#[source] rcgen::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_being_written_as_pem() {
        let key = KeyPair::generate().expect("a key");
        let again = KeyPair::from_pem(&key.to_pem()).expect("the same key");
        assert_eq!(again.pin(), key.pin());
        assert_eq!(again.to_pem().expose_secret(), key.to_pem().expose_secret());
    }

    #[test]
    fn debug_shows_nothing_of_the_key() {
        let key = KeyPair::generate().expect("a key");
        assert_eq!(format!("{key:?}"), "KeyPair { .. }");
    }

    #[test]
    fn a_damaged_key_is_refused_without_repeating_it() {
        let pem = KeyPair::generate().expect("a key").to_pem();
        let cut = SecretString::from(&pem.expose_secret()[..100]);
        assert!(matches!(KeyPair::from_pem(&cut), Err(KeyError::Pem)));
        let hollow = SecretString::from(format!("{BEGIN}\nAAAA\n{END}\n"));
        assert!(matches!(KeyPair::from_pem(&hollow), Err(KeyError::Parse(_))));
    }
}
