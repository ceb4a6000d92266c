//! What a certificate of the cluster says.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use x509_parser::certificate::X509Certificate;
use x509_parser::error::{PEMError, X509Error};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::time::ASN1Time;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use crate::pin::{pin_text, sha256};
use crate::{AuthorityId, NodeName, NodeNameError, Pin, Role, RoleError, Serial, certificates_of_bundle};

/// What a node's certificate says. Reading proves nothing: whoever needs proof verifies the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// The serial number.
    pub serial: Serial,
    /// The machine (common name).
    pub name: NodeName,
    /// What it is (organisational unit).
    pub role: Role,
    /// The cluster (organisation).
    pub cluster: String,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until.
    pub not_after: Timestamp,
    /// The generation of the authority that issued it (authority key identifier).
    pub authority: AuthorityId,
    /// The hash of its own public key.
    #[serde(with = "pin_text")]
    pub spki_sha256: Pin,
}

impl CertificateFacts {
    /// Reads a certificate (DER).
    pub fn from_der(der: &[u8]) -> Result<Self, FactsError> {
        let (_, certificate) = x509_parser::parse_x509_certificate(der).map_err(FactsError::Der)?;
        let subject = certificate.subject();
        Ok(Self {
            serial: Serial::from_be_bytes(certificate.raw_serial()).ok_or(FactsError::Serial)?,
            name: NodeName::new(only("common name", subject, X509Name::iter_common_name)?)?,
            role: only("organisational unit", subject, X509Name::iter_organizational_unit)?.parse()?,
            cluster: only("organisation", subject, X509Name::iter_organization)?,
            not_before: timestamp(certificate.validity().not_before)?,
            not_after: timestamp(certificate.validity().not_after)?,
            authority: issuing_authority(&certificate).ok_or(FactsError::Missing("authority key identifier"))?,
            spki_sha256: sha256(certificate.public_key().raw),
        })
    }

    /// Reads the first certificate of a PEM text.
    pub fn from_pem(pem: &str) -> Result<Self, FactsError> {
        let certificates = certificates_of_bundle(pem)?;
        Self::from_der(&certificates[0])
    }

    /// The IP addresses that the first certificate of a PEM text stands for (subject alternative names).
    pub fn addresses_in(pem: &str) -> Result<BTreeSet<IpAddr>, FactsError> {
        let certificates = certificates_of_bundle(pem)?;
        let (_, certificate) = x509_parser::parse_x509_certificate(&certificates[0]).map_err(FactsError::Der)?;
        let names = certificate.subject_alternative_name().map_err(|e| FactsError::Der(e.into()))?;
        Ok(names.iter().flat_map(|names| &names.value.general_names).filter_map(address).collect())
    }

    /// When renewal falls due: two thirds of the certificate's life, so that a third of it remains for trying again.
    pub fn renewal_from(&self) -> Timestamp {
        let life = self.not_after.duration_since(self.not_before);
        let two_thirds = SignedDuration::from_secs(life.as_secs() / 3 * 2);
        self.not_before.checked_add(two_thirds).unwrap_or(self.not_after)
    }

    /// Whether renewal is due by age.
    pub fn renewal_due(&self, now: Timestamp) -> bool {
        now >= self.renewal_from()
    }

    /// Whether the authority was rotated since: the bundle of trusted certificates (PEM) begins with another generation.
    /// Such a certificate is due for renewal whatever its age, since the rotation ends when nobody needs the old one.
    pub fn superseded_by_rotation(&self, trust_pem: &str) -> Result<bool, FactsError> {
        let current = crate::pin_of_certificate(&certificates_of_bundle(trust_pem)?[0])?;
        Ok(AuthorityId::of_key(&current).as_ref() != Some(&self.authority))
    }
}

/// The one value of an attribute: a second one could say the opposite to another reader.
fn only<'a, I>(
    what: &'static str,
    subject: &'a X509Name<'a>,
    pick: impl Fn(&'a X509Name<'a>) -> I,
) -> Result<String, FactsError>
where
    I: Iterator<Item = &'a AttributeTypeAndValue<'a>>,
{
    let mut values = pick(subject);
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value.as_str().map_err(|_| FactsError::Missing(what))?.to_owned()),
        _ => Err(FactsError::Missing(what)),
    }
}

fn issuing_authority(certificate: &X509Certificate<'_>) -> Option<AuthorityId> {
    certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(issuer) => AuthorityId::of_key(issuer.key_identifier.as_ref()?.0),
        _ => None,
    })
}

/// RFC 5280, 4.2.1.6: four octets for IPv4, sixteen for IPv6.
fn address(name: &GeneralName<'_>) -> Option<IpAddr> {
    let GeneralName::IPAddress(octets) = name else { return None };
    let v4 = <[u8; 4]>::try_from(*octets).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(*octets).map(IpAddr::from)).ok()
}

fn timestamp(time: ASN1Time) -> Result<Timestamp, FactsError> {
    Timestamp::from_second(time.timestamp()).map_err(FactsError::Time)
}

/// Why a text or some bytes are no certificate of a node.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// Not PEM.
    #[error("reading a certificate: it is no PEM text")]
    Pem(#[source] PEMError),
    /// PEM, but of something else.
    #[error("reading a certificate: found a PEM block of {0:?}")]
    Label(String),
    /// Not a certificate.
    #[error("reading a certificate: it is no X.509 certificate")]
    Der(#[source] x509_parser::nom::Err<X509Error>),
    /// A part is missing, or there twice.
    #[error("reading a certificate: it should have exactly one {0}")]
    Missing(&'static str),
    /// A serial number of more than 128 bits, or zero.
    #[error("reading a certificate: its serial number is none of this cluster's (1 to 128 bits)")]
    Serial,
    /// A validity beyond the calendar.
    #[error("reading a certificate: its validity is no possible time")]
    Time(#[source] jiff::Error),
    /// The common name is no machine's name.
    #[error("reading a certificate: its common name is no machine's")]
    Name(#[from] NodeNameError),
    /// The organisational unit is no role.
    #[error("reading a certificate: its organisational unit is no role")]
    Role(#[from] RoleError),
}
