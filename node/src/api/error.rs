//! What can go wrong between a node and the front-end.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError};

use crate::wire::Refusal;

/// Why a server is not taken for the front-end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// Its chain doesn't lead to a trusted authority.
    #[error("the server's certificate is from another authority")]
    OtherAuthority,
    /// Its certificate is for a client.
    #[error("the server's certificate is not the front-end's")]
    NoServer,
    /// By our clock the certificate's life has not begun. Seconds since 1970.
    #[error("the server's certificate is not valid yet by this machine's clock")]
    NotYetValid {
        /// Our clock.
        clock: u64,
        /// When it begins.
        from: u64,
    },
    /// By our clock the certificate's life is over. Seconds since 1970.
    #[error("the server's certificate has expired by this machine's clock")]
    Expired {
        /// Our clock.
        clock: u64,
        /// When it ended.
        until: u64,
    },
}

/// A request that got no answer that we can use.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The connection was not made.
    #[error("connecting to {endpoint} failed: {source}")]
    Connect {
        /// Where to.
        endpoint: SocketAddr,
        /// The kernel's word.
        source: io::Error,
    },
    /// Nothing came back in time.
    #[error("{endpoint} did not answer within {} s", waited.as_secs())]
    NoAnswer {
        /// Where to.
        endpoint: SocketAddr,
        /// How long we waited.
        waited: Duration,
    },
    /// The server is not the front-end, or our clock is wrong.
    #[error("{endpoint} is not trusted: {why}")]
    Distrusted {
        /// Which server.
        endpoint: SocketAddr,
        /// Why.
        why: Distrust,
    },
    /// The server refused our certificate during the handshake.
    #[error("{endpoint} refused this machine's certificate ({alert:?})")]
    Shunned {
        /// Which server.
        endpoint: SocketAddr,
        /// TLS's word for the reason.
        alert: AlertDescription,
    },
    /// The front-end said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The exchange broke off, or is not what the table of requests says.
    #[error("{endpoint} does not speak our protocol: {seen}")]
    Broken {
        /// Which server.
        endpoint: SocketAddr,
        /// What was seen.
        seen: String,
    },
    /// Our own key or certificate can't be used.
    #[error("this machine's identity can't be used: {0}")]
    Identity(String),
}

impl ApiError {
    /// Sorts what a TLS stream reported; rustls wraps its own errors into `io::Error`.
    pub(super) fn from_stream(endpoint: SocketAddr, error: &(dyn std::error::Error + 'static)) -> Self {
        let broken = || Self::Broken { endpoint, seen: error.to_string() };
        match tls_cause(error) {
            Some(rustls::Error::InvalidCertificate(CertificateError::Other(other))) => {
                match other.0.downcast_ref::<Distrust>() {
                    Some(why) => Self::Distrusted { endpoint, why: why.clone() },
                    None => broken(),
                }
            }
            Some(rustls::Error::AlertReceived(alert)) if about_us(*alert) => Self::Shunned { endpoint, alert: *alert },
            _ => broken(),
        }
    }

    /// Whether there is no route to the address, which says nothing of who would answer there.
    pub(super) fn is_no_way(&self) -> bool {
        use io::ErrorKind::{HostUnreachable, NetworkUnreachable};
        matches!(self, Self::Connect { source, .. } if matches!(source.kind(), HostUnreachable | NetworkUnreachable))
    }

    /// Whether another try, or another endpoint, may do better.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::NoAnswer { .. } | Self::Broken { .. })
    }
}

fn about_us(alert: AlertDescription) -> bool {
    use AlertDescription as A;
    matches!(
        alert,
        A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA
            | A::AccessDenied
            | A::CertificateRequired
    )
}

/// The rustls error inside, however deep: `io::Error` hides what it wraps from `source()`.
fn tls_cause<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e rustls::Error> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        at = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}
