//! Issuing a certificate.

use std::time::Duration;

use jiff::Timestamp;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyUsagePurpose};

use super::generation::{random_serial, whole_seconds};
use super::request::ProvedKey;
use super::{Authority, AuthorityError, CertificateSpec, IssueError, Previous, Revocation, layout};
use crate::{CertificateFacts, Role, Serial};

/// How far a certificate's start lies before the moment of issue, so that a machine whose clock is a little behind can use it
/// at once.
pub const CLOCK_ALLOWANCE: Duration = Duration::from_mins(1);

/// A new certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The certificate alone (PEM).
    pub pem: String,
    /// What it says.
    pub facts: CertificateFacts,
    /// The certificates that it took the place of: revoked now.
    pub superseded: Vec<Serial>,
}

impl Authority {
    /// Issues a certificate for the key of a request (PKCS#10, PEM). Everything else in the request is ignored: `spec` decides.
    /// The certificate is on disk when this returns.
    pub fn issue(&mut self, csr_pem: &str, spec: &CertificateSpec, now: Timestamp) -> Result<Issued, IssueError> {
        let key =
            ProvedKey::of_request(csr_pem).map_err(|source| IssueError::Request { name: spec.name.clone(), source })?;
        let not_after = self.end_of_life(spec.life, now)?;
        let serial = self.unused_serial()?;
        let params = params(self.register.cluster(), spec, serial, now, not_after);
        let pem = self.sign(&params, &key).map_err(|source| IssueError::Sign { name: spec.name.clone(), source })?;
        let path = layout::issued_certificate(self.register.storage.root(), serial);
        let facts = CertificateFacts::from_pem(&pem)
            .map_err(|e| AuthorityError::damaged(&path, "what was just signed can't be read", e))?;
        self.register.storage.write_new(&path, pem.as_bytes()).map_err(AuthorityError::from)?;
        self.register.issued.insert(facts.clone());
        let superseded = match spec.previous {
            Previous::Keep => Vec::new(),
            Previous::Revoke => self.register.revoke(&Revocation::AllBut(spec.name.clone(), serial), now)?,
        };
        Ok(Issued { pem, facts, superseded })
    }

    /// The end of a certificate that is issued now: never beyond the authority's own.
    fn end_of_life(&self, life: Duration, now: Timestamp) -> Result<Timestamp, IssueError> {
        let authority = &self.register.current;
        if now >= authority.not_after {
            return Err(IssueError::Ended(authority.not_after));
        }
        if now < authority.not_before {
            return Err(IssueError::ClockBehind { now, begins: authority.not_before });
        }
        if life.as_secs() == 0 {
            return Err(IssueError::Life(life));
        }
        let wanted = now.checked_add(life).map_err(|_| IssueError::Life(life))?;
        Ok(wanted.min(authority.not_after))
    }

    fn unused_serial(&self) -> Result<Serial, AuthorityError> {
        loop {
            let serial = random_serial()?;
            if !self.register.issued.contains(serial) {
                return Ok(serial);
            }
        }
    }

    fn sign(&self, params: &CertificateParams, key: &ProvedKey) -> Result<String, rcgen::Error> {
        let issuer = Issuer::from_ca_cert_pem(&self.register.current.pem, &self.key)?;
        Ok(params.signed_by(key, &issuer)?.pem())
    }
}

/// All that a node's certificate says.
fn params(
    cluster: &str,
    spec: &CertificateSpec,
    serial: Serial,
    now: Timestamp,
    not_after: Timestamp,
) -> CertificateParams {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, cluster);
    subject.push(DnType::OrganizationalUnitName, spec.role.as_str());
    subject.push(DnType::CommonName, spec.name.as_str());
    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    params.subject_alt_names = spec.subject_alt_names();
    params.serial_number = Some(serial.to_be_bytes().to_vec().into());
    params.not_before = whole_seconds(now.saturating_sub(CLOCK_ALLOWANCE).unwrap_or(Timestamp::MIN));
    params.not_after = whole_seconds(not_after);
    // Explicit, because only then rcgen writes a subject key identifier too.
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![match spec.role {
        Role::FrontEnd => ExtendedKeyUsagePurpose::ServerAuth,
        Role::Host | Role::Worker => ExtendedKeyUsagePurpose::ClientAuth,
    }];
    params.use_authority_key_identifier_extension = true;
    params
}
