//! One generation of the authority: a key and the certificates that speak for it.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyUsagePurpose};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::{AuthorityError, CLOCK_ALLOWANCE, layout, storage};
use crate::{AuthorityId, KeyPair, Pin, Serial, certificates_of_bundle, pin_of_certificate};

/// Ten years: longer than machines last, so that rotation is a decision and no routine, and short enough that an authority which
/// everybody forgot does not sign for ever.
pub const AUTHORITY_LIFE: Duration = Duration::from_hours(10 * 365 * 24);

/// What everybody may know of a generation.
#[derive(Clone, Debug)]
pub(super) struct Generation {
    pub(super) id: AuthorityId,
    pub(super) pin: Pin,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    /// Its certificate from its own key.
    pub(super) pem: String,
    /// Its certificate from the generation before, while a rotation is under way.
    pub(super) cross_pem: Option<String>,
}

impl Generation {
    /// Reads a generation and checks that it is the one that its place says.
    pub(super) fn read(root: &Path, id: &AuthorityId) -> Result<Self, AuthorityError> {
        let path = layout::certificate(root, id);
        let pem = storage::read(&path)?.ok_or_else(|| AuthorityError::inconsistent(&path, "missing"))?;
        let cross_pem = storage::read(&layout::cross_certificate(root, id))?;
        let read = Self::parse(pem, cross_pem).map_err(|e| AuthorityError::damaged(&path, "not a certificate", e))?;
        if read.id == *id {
            Ok(read)
        } else {
            Err(AuthorityError::inconsistent(path, "the certificate of another key"))
        }
    }

    /// What a certificate of an authority says.
    pub(super) fn parse(
        pem: String,
        cross_pem: Option<String>,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let der = certificates_of_bundle(&pem)?.swap_remove(0);
        let pin = pin_of_certificate(&der)?;
        let (_, certificate) = x509_parser::parse_x509_certificate(&der)?;
        let validity = certificate.validity();
        Ok(Self {
            id: AuthorityId::of_key(&pin).expect("a pin is longer than an id"),
            pin,
            not_before: Timestamp::from_second(validity.not_before.timestamp())?,
            not_after: Timestamp::from_second(validity.not_after.timestamp())?,
            pem,
            cross_pem,
        })
    }
}

/// A new generation's certificate from its own key.
pub(super) fn self_signed(cluster: &str, key: &KeyPair, now: Timestamp) -> Result<String, AuthorityError> {
    let mut params = params(cluster, key, now, now.saturating_add(AUTHORITY_LIFE).unwrap_or(Timestamp::MAX))?;
    // One authority below it: the next generation, in its cross-signed certificate.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    params.self_signed(key).map(|certificate| certificate.pem()).map_err(AuthorityError::Sign)
}

/// A new generation's certificate from the old one's key: whoever trusts only the old one can follow it to the new one.
/// It ends with the old one; there is none if that has ended already, and nobody would accept it.
pub(super) fn cross_signed(
    cluster: &str,
    key: &KeyPair,
    now: Timestamp,
    old: &Generation,
    old_key: &KeyPair,
) -> Result<Option<String>, AuthorityError> {
    if now >= old.not_after {
        return Ok(None);
    }
    let issuer = Issuer::from_ca_cert_pem(&old.pem, old_key).map_err(AuthorityError::Sign)?;
    let mut params = params(cluster, key, now, old.not_after)?;
    params.use_authority_key_identifier_extension = true;
    params.signed_by(key, &issuer).map(|certificate| Some(certificate.pem())).map_err(AuthorityError::Sign)
}

/// What every generation's certificate says. The subject has the key's id in it: an OpenVPN server refuses to start with two
/// authorities of one name (`--ca`, "only 1 of 2 entries were valid X509 names"), and both are trusted during a rotation.
fn params(
    cluster: &str,
    key: &KeyPair,
    now: Timestamp,
    not_after: Timestamp,
) -> Result<CertificateParams, AuthorityError> {
    let id = AuthorityId::of_key(&key.pin()).expect("a pin is longer than an id");
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, cluster);
    subject.push(DnType::CommonName, format!("{cluster} CA {id}"));
    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    params.serial_number = Some(random_serial()?.to_be_bytes().to_vec().into());
    params.not_before = whole_seconds(now.saturating_sub(CLOCK_ALLOWANCE).unwrap_or(Timestamp::MIN));
    params.not_after = whole_seconds(not_after);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// 128 random bits: nobody can guess a serial number, and no counter can be lost or repeated.
pub(super) fn random_serial() -> Result<Serial, AuthorityError> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| AuthorityError::Random)?;
    Serial::from_be_bytes(&bytes).ok_or(AuthorityError::Random)
}

/// A time as rcgen wants it; certificates know no fractions of a second.
pub(super) fn whole_seconds(time: Timestamp) -> time::OffsetDateTime {
    let latest = time::macros::datetime!(9999-12-31 23:59:59 UTC);
    time::OffsetDateTime::from_unix_timestamp(time.as_second()).map_or(latest, |t| t.min(latest))
}
