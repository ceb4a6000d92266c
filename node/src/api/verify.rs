//! Whom we take for the front-end.

use std::sync::{Arc, OnceLock};

use landbridge_pki::pin_of_certificate;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::Distrust;

/// What makes a server the front-end.
#[derive(Clone, Debug)]
pub enum Trust {
    /// An authority whose SubjectPublicKeyInfo (DER) has this SHA-256; it comes in the server's own chain.
    Pin([u8; 32]),
    /// One of these authorities.
    Authorities(Vec<CertificateDer<'static>>),
}

/// Verifies a server's chain up to a trusted authority, at the present time, for server authentication.
///
/// Names are not checked. Only the front-end's certificate may authenticate a server (its extended key usage), and its
/// address may be translated on the way to us, so a name would refuse the right ones and stop none of the wrong ones.
#[derive(Debug)]
pub(super) struct FrontEndVerifier {
    trust: Trust,
    algorithms: WebPkiSupportedAlgorithms,
    /// The authority that a pin led to, for the connections after this one.
    authority: OnceLock<CertificateDer<'static>>,
}

impl FrontEndVerifier {
    pub(super) fn new(trust: Trust, algorithms: WebPkiSupportedAlgorithms) -> Arc<Self> {
        Arc::new(Self { trust, algorithms, authority: OnceLock::new() })
    }

    /// The authority that the pin led to, once a server has been verified.
    pub(super) fn authority(&self) -> Option<CertificateDer<'static>> {
        self.authority.get().cloned()
    }

    fn authorities(&self, chain: &[CertificateDer<'_>]) -> Result<Vec<CertificateDer<'static>>, Distrust> {
        match &self.trust {
            Trust::Authorities(all) => Ok(all.clone()),
            Trust::Pin(pin) => chain
                .iter()
                .find(|certificate| pin_of_certificate(certificate).ok().as_ref() == Some(pin))
                .map(|found| vec![found.clone().into_owned()])
                .ok_or(Distrust::OtherAuthority),
        }
    }
}

impl ServerCertVerifier for FrontEndVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let authorities = self.authorities(intermediates)?;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(authorities.iter().cloned());
        let leaf = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(&leaf, &roots, intermediates, now, self.algorithms.all)
            .map_err(distrust)?;
        if let [authority] = authorities.as_slice() {
            let _ = self.authority.set(authority.clone());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// webpki's verdict as one of ours where a person can do something about it.
fn distrust(error: Error) -> Error {
    let Error::InvalidCertificate(certificate) = error else { return error };
    match certificate {
        CertificateError::NotValidYetContext { time, not_before } => {
            Distrust::NotYetValid { clock: time.as_secs(), from: not_before.as_secs() }.into()
        }
        CertificateError::ExpiredContext { time, not_after } => {
            Distrust::Expired { clock: time.as_secs(), until: not_after.as_secs() }.into()
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Distrust::OtherAuthority.into(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => Distrust::NoServer.into(),
        other => Error::InvalidCertificate(other),
    }
}

impl From<Distrust> for Error {
    fn from(distrust: Distrust) -> Self {
        Self::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(distrust))))
    }
}
