//! The hash of a public key: how a node knows the authority before it has a certificate of its own.

use std::fmt;

use serde::{Deserialize, Serialize};
use x509_parser::pem::Pem;

use crate::FactsError;

/// The SHA-256 of a SubjectPublicKeyInfo (DER). It stays the same when the key gets another certificate.
pub type Pin = [u8; 32];

/// One generation of the authority: the first 64 bits of its key's [`Pin`], in hexadecimal. The same digits begin the
/// certificate's subject key identifier (RFC 7093, method 1), so `openssl x509 -text` shows them too.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AuthorityId(String);

impl AuthorityId {
    const BYTES: usize = 8;

    /// The id of the authority whose key has this pin, or whose certificate has this key identifier.
    /// `None` when there are too few bytes.
    pub fn of_key(identifier: &[u8]) -> Option<Self> {
        let (first, _) = identifier.split_first_chunk::<{ Self::BYTES }>()?;
        Some(Self(format!("{:016x}", u64::from_be_bytes(*first))))
    }

    /// The 16 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AuthorityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for AuthorityId {
    type Error = AuthorityIdError;

    fn try_from(text: String) -> Result<Self, AuthorityIdError> {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() == 2 * Self::BYTES && text.bytes().all(digit) {
            Ok(Self(text))
        } else {
            Err(AuthorityIdError(text))
        }
    }
}

impl From<AuthorityId> for String {
    fn from(id: AuthorityId) -> Self {
        id.0
    }
}

/// A text that is no authority's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no authority's id: it should be 16 lower-case hexadecimal digits")]
pub struct AuthorityIdError(pub String);

/// The pin of a certificate (DER). A node that holds a token takes the certificate with the token's pin, out of the chain
/// that the front-end sends, as its anchor.
pub fn pin_of_certificate(der: &[u8]) -> Result<Pin, FactsError> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).map_err(FactsError::Der)?;
    Ok(sha256(certificate.public_key().raw))
}

/// Every certificate (DER) of a PEM text, in order: an authority's bundle has the current authority first.
pub fn certificates_of_bundle(pem: &str) -> Result<Vec<Vec<u8>>, FactsError> {
    let blocks = Pem::iter_from_buffer(pem.as_bytes()).collect::<Result<Vec<_>, _>>().map_err(FactsError::Pem)?;
    if blocks.is_empty() {
        return Err(FactsError::Missing("certificate"));
    }
    blocks
        .into_iter()
        .map(
            |block| if block.label == "CERTIFICATE" { Ok(block.contents) } else { Err(FactsError::Label(block.label)) },
        )
        .collect()
}

/// A pin in a document: base64url without padding, as in a join token.
pub(crate) mod pin_text {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::Pin;

    pub(crate) fn serialize<S: Serializer>(pin: &Pin, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(pin))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pin, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(D::Error::custom)?;
        bytes.try_into().map_err(|_| D::Error::custom("a pin should have 32 bytes"))
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> Pin {
    let mut pin = Pin::default();
    pin.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    pin
}
