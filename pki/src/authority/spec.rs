//! What a certificate is to say: decided by the front-end, never by whoever asks for it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use rcgen::SanType;

use crate::{NodeName, Role};

const DAY: Duration = Duration::from_hours(24);

/// How long a certificate lives unless the caller says otherwise.
///
/// - Workers, 90 days: they come and go, and one that left without being revoked is shut out within a season. A worker that
///   was off for a month at any point of its certificate's life still has time to renew.
/// - Hosts and the front-end, a year: they are few, known by name, and may be down for long repairs.
pub fn default_life(role: Role) -> Duration {
    match role {
        Role::Worker => 90 * DAY,
        Role::Host | Role::FrontEnd => 365 * DAY,
    }
}

/// A certificate to issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateSpec {
    /// The machine.
    pub name: NodeName,
    /// What it is, and so what the certificate is good for.
    pub role: Role,
    /// Further names and addresses. The front-end's own name is always among them, since TLS clients look nowhere else.
    pub alt_names: Vec<AltName>,
    /// How long it lives. It ends with the authority at the latest.
    pub life: Duration,
    /// What becomes of the certificates that the machine has.
    pub previous: Previous,
}

/// What becomes of a machine's certificates when it gets another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Previous {
    /// They live on until they end: nothing breaks if the new one never arrives.
    #[default]
    Keep,
    /// They are revoked, once the new one is on disk.
    Revoke,
}

impl CertificateSpec {
    /// The usual certificate for a machine: no further names, its role's [`default_life`], earlier ones kept.
    pub fn new(name: NodeName, role: Role) -> Self {
        Self { name, role, alt_names: Vec::new(), life: default_life(role), previous: Previous::Keep }
    }

    /// The names for the certificate's extension, each once.
    pub(super) fn subject_alt_names(&self) -> Vec<SanType> {
        let own = (self.role == Role::FrontEnd).then(|| AltName::Dns(DnsName(self.name.as_str().to_owned())));
        let mut names: Vec<AltName> = own.into_iter().chain(self.alt_names.iter().cloned()).collect();
        names.sort();
        names.dedup();
        names.into_iter().map(AltName::into_san).collect()
    }
}

/// A further name in a certificate (subjectAltName).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AltName {
    /// A name in DNS.
    Dns(DnsName),
    /// An address.
    Ip(IpAddr),
}

impl AltName {
    fn into_san(self) -> SanType {
        match self {
            Self::Dns(DnsName(name)) => SanType::DnsName(name.try_into().expect("a checked name is ASCII")),
            Self::Ip(address) => SanType::IpAddress(address),
        }
    }
}

impl From<IpAddr> for AltName {
    fn from(address: IpAddr) -> Self {
        Self::Ip(address)
    }
}

impl FromStr for AltName {
    type Err = AltNameError;

    /// An address if it looks like one, else a name in DNS.
    fn from_str(text: &str) -> Result<Self, AltNameError> {
        text.parse().map(Self::Ip).or_else(|_| text.parse().map(Self::Dns))
    }
}

/// A name in DNS: labels as in RFC 1123, lower case, no wildcard, no trailing dot, at most 253 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DnsName(String);

impl FromStr for DnsName {
    type Err = AltNameError;

    fn from_str(text: &str) -> Result<Self, AltNameError> {
        let labels = text.split('.').all(|label| NodeName::new(label).is_ok());
        if labels && text.len() <= 253 { Ok(Self(text.to_owned())) } else { Err(AltNameError(text.to_owned())) }
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text that is neither an address nor a name in DNS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an address nor a lower-case name in DNS")]
pub struct AltNameError(pub String);
