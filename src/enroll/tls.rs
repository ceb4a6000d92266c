//! TLS for the join API.

use std::sync::Arc;

use landbridge_pki::CertificateFacts;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::Peer;

/// What the front-end shows, and whom it believes.
#[derive(Clone)]
pub struct TlsIdentity {
    /// Its certificate, and behind it the authorities up to the one that tokens pin (PEM).
    pub chain_pem: String,
    /// Its private key (PEM).
    pub key_pem: secrecy::SecretString,
    /// Every authority whose certificates are taken (PEM).
    pub trust_pem: String,
}

/// Why the identity can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// No PEM, or not of the expected kind.
    #[error("the front-end's {0} can't be read: run landbridge up to make it anew")]
    Unreadable(&'static str),
    /// rustls refuses it.
    #[error("the front-end's certificate and key can't be used for TLS")]
    Refused(#[from] rustls::Error),
    /// No authority to verify clients with.
    #[error("no authority to verify members with")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
}

/// TLS 1.3, with a client certificate asked for but not required: a machine with a token has none yet.
pub fn server_config(identity: &TlsIdentity) -> Result<ServerConfig, TlsError> {
    use secrecy::ExposeSecret as _;
    let chain = certificates(&identity.chain_pem).ok_or(TlsError::Unreadable("certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.expose_secret().as_bytes())
        .map_err(|_| TlsError::Unreadable("key"))?;
    let mut roots = RootCertStore::empty();
    for authority in certificates(&identity.trust_pem).ok_or(TlsError::Unreadable("authority"))? {
        roots.add(authority)?;
    }
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).allow_unauthenticated().build()?;
    let mut config = ServerConfig::builder_with_protocol_versions(&[&rustls::version::TLS13])
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(pem: &str) -> Option<Vec<CertificateDer<'static>>> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().ok()?;
    (!all.is_empty()).then_some(all)
}

/// Who the connection's client is, after rustls has verified the chain.
pub(super) fn peer(connection: &rustls::ServerConnection) -> Option<Peer> {
    let leaf = connection.peer_certificates()?.first()?;
    let certificate = CertificateFacts::from_der(leaf).ok()?;
    Some(Peer { certificate })
}
