//! A certificate request: only the key in it counts, and only if the sender has it.

use openssl::bn::BigNumContext;
use openssl::ec::{EcGroup, PointConversionForm};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::x509::X509Req;
use rcgen::{PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm};

use super::RequestError;
use crate::Pin;
use crate::pin::sha256;

/// The longest request that is read. One for a P-256 key has about 400 bytes.
pub const MAX_CSR_BYTES: usize = 8192;

/// The pin of the key in a request (PKCS#10, PEM), once its owner has proved to have the private one: the same that the
/// certificate's facts will show.
pub fn pin_of_request(csr_pem: &str) -> Result<Pin, RequestError> {
    let key = ProvedKey::of_request(csr_pem)?;
    Ok(sha256(&key.subject_public_key_info()))
}

/// A public key on P-256 whose owner has proved to have the private one.
pub(super) struct ProvedKey(Vec<u8>);

impl ProvedKey {
    /// Takes the key, and nothing else, out of a request (PKCS#10, PEM).
    ///
    /// The key is decoded to a point and encoded anew, so that no way of writing a key gets into a certificate; rcgen's own
    /// reader of requests would copy names, usages and even CA:TRUE.
    pub(super) fn of_request(csr_pem: &str) -> Result<Self, RequestError> {
        if csr_pem.len() > MAX_CSR_BYTES {
            return Err(RequestError::TooLong(csr_pem.len()));
        }
        let request = X509Req::from_pem(csr_pem.as_bytes()).map_err(RequestError::Syntax)?;
        let key = request.public_key().map_err(|_| RequestError::Key)?;
        if !request.verify(&key).unwrap_or(false) {
            return Err(RequestError::Signature);
        }
        let key = key.ec_key().map_err(|_| RequestError::Key)?;
        if key.group().curve_name() != Some(Nid::X9_62_PRIME256V1) {
            return Err(RequestError::Key);
        }
        key.check_key().and_then(|()| point(&key)).map(Self).map_err(|_| RequestError::Key)
    }
}

fn point(key: &openssl::ec::EcKeyRef<openssl::pkey::Public>) -> Result<Vec<u8>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let mut context = BigNumContext::new()?;
    key.public_key().to_bytes(&group, PointConversionForm::UNCOMPRESSED, &mut context)
}

impl PublicKeyData for ProvedKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}
