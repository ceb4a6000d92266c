//! What was issued, what was revoked, and whom to trust. None of it needs the authority's key.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::catalogue::Catalogue;
use super::generation::Generation;
use super::layout::{self, State};
use super::storage::{self, Storage};
use super::{AuthorityError, StorageError};
use crate::{CertificateFacts, NodeName, Pin, Serial};

/// The public half of an authority: its certificates, and the record of what it issued and revoked.
///
/// It has the directory for itself: a second one of the same directory, in whatever process, is refused.
#[derive(Debug)]
pub struct Register {
    pub(super) storage: Storage,
    pub(super) state: State,
    pub(super) current: Generation,
    pub(super) old: Option<Generation>,
    pub(super) issued: Catalogue,
}

/// One issued certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What it says.
    #[serde(flatten)]
    pub certificate: CertificateFacts,
    /// What it is worth.
    pub state: CertificateState,
}

/// What a certificate is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateState {
    /// Accepted.
    Valid,
    /// Past its end.
    Expired,
    /// Refused for ever, whether or not it has ended.
    Revoked,
}

impl Register {
    /// Opens the authority in `dir` without its key: enough for everything but issuing and rotating.
    pub fn open(dir: &Path) -> Result<Self, AuthorityError> {
        if !layout::file(dir).exists() {
            return Err(AuthorityError::NotThere(dir.to_owned()));
        }
        Self::load(Storage::open(dir)?)
    }

    pub(super) fn load(storage: Storage) -> Result<Self, AuthorityError> {
        let root = storage.root();
        let state = State::read(root)?.ok_or_else(|| AuthorityError::NotThere(root.to_owned()))?;
        layout::sweep(root, Some(&state))?;
        let current = Generation::read(root, &state.current)?;
        let old = state.rotation.as_ref().map(|rotation| Generation::read(root, &rotation.old)).transpose()?;
        let issued = read_issued(root)?;
        storage::create_dir(&layout::issued(root))?;
        storage::create_dir(&layout::revoked(root))?;
        Ok(Self { storage, state, current, old, issued })
    }

    /// The cluster's name.
    pub fn cluster(&self) -> &str {
        &self.state.cluster
    }

    /// Whom to trust (PEM): the current authority first, then, during a rotation, the one before.
    pub fn trust_pem(&self) -> String {
        self.generations().map(|g| g.pem.as_str()).collect()
    }

    /// The pins of everybody in [`Self::trust_pem`], in the same order. A join token carries the first.
    pub fn pins(&self) -> Vec<Pin> {
        self.generations().map(|g| g.pin).collect()
    }

    /// When the current authority ends.
    pub fn not_after(&self) -> Timestamp {
        self.current.not_after
    }

    /// The directory for OpenVPN's `crl-verify DIR dir`: a file a revoked certificate, named by its decimal serial number.
    ///
    /// OpenVPN takes a file that it may not open for one that isn't there. So it must run as the directory's owner: one that gave
    /// up its privileges (`user nobody`) would admit everybody.
    pub fn revoked_dir(&self) -> PathBuf {
        layout::revoked(self.storage.root())
    }

    /// Every certificate, by name, then by age.
    pub fn list(&self, now: Timestamp) -> Result<Vec<Record>, StorageError> {
        let revoked = self.revoked_serials()?;
        let record = |facts: &CertificateFacts| Record {
            certificate: facts.clone(),
            state: match facts {
                _ if revoked.contains(&facts.serial) => CertificateState::Revoked,
                _ if facts.not_after <= now => CertificateState::Expired,
                _ => CertificateState::Valid,
            },
        };
        let mut issued: Vec<&CertificateFacts> = self.issued.all().collect();
        issued.sort_by(|a, b| (&a.name, self.age_key(a)).cmp(&(&b.name, self.age_key(b))));
        Ok(issued.into_iter().map(record).collect())
    }

    /// The certificate that `name` is expected to use: its newest valid one.
    pub fn current(&self, name: &NodeName, now: Timestamp) -> Result<Option<CertificateFacts>, StorageError> {
        let mut living: Vec<&CertificateFacts> = self.issued.of(name).filter(|facts| facts.not_after > now).collect();
        living.sort_by_key(|facts| self.age_key(facts));
        for facts in living.into_iter().rev() {
            if !self.revoked(facts.serial)? {
                return Ok(Some(facts.clone()));
            }
        }
        Ok(None)
    }

    /// A certificate's text, as it was issued.
    pub fn certificate_pem(&self, serial: Serial) -> Result<String, AuthorityError> {
        let path = layout::issued_certificate(self.storage.root(), serial);
        storage::read(&path)?.ok_or(AuthorityError::UnknownSerial(serial))
    }

    /// Removes what is recorded of certificates that ended before `time`, their revocation included: they are refused for their
    /// age anyhow. Returns how many.
    pub fn forget_ended_before(&mut self, time: Timestamp) -> Result<usize, StorageError> {
        let ended: Vec<Serial> = self.issued.all().filter(|f| f.not_after < time).map(|f| f.serial).collect();
        for &serial in &ended {
            // The revocation last: a crash between must not leave a record that looks as if it never was revoked.
            storage::remove_file(&layout::issued_certificate(self.storage.root(), serial))?;
            storage::remove_file(&self.revoked_dir().join(serial.to_string()))?;
            self.issued.remove(serial);
        }
        Ok(ended.len())
    }

    pub(super) fn generations(&self) -> impl Iterator<Item = &Generation> {
        std::iter::once(&self.current).chain(&self.old)
    }

    pub(super) fn revoked_serials(&self) -> Result<HashSet<Serial>, StorageError> {
        Ok(storage::entries(&self.revoked_dir())?.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// Orders certificates of one name. Times have whole seconds only, so the generation comes first.
    fn age_key(&self, facts: &CertificateFacts) -> (bool, Timestamp, Timestamp, Serial) {
        (facts.authority == self.current.id, facts.not_before, facts.not_after, facts.serial)
    }
}

fn read_issued(root: &Path) -> Result<Catalogue, AuthorityError> {
    let directory = layout::issued(root);
    let names = storage::entries(&directory)?;
    let certificates = names.iter().filter(|name| Path::new(name).extension().is_some_and(|e| e == "pem"));
    let records = certificates.map(|name| read_record(&directory.join(name)));
    records.filter_map(Result::transpose).collect()
}

/// One record. An empty one is of a certificate that nobody ever got: it is not handed out before the record is on disk.
fn read_record(path: &Path) -> Result<Option<CertificateFacts>, AuthorityError> {
    const REMEDY: &str = "restore it from a backup; or, to go on without it, make an empty file with its serial number (its name \
                          without .pem) in the directory `revoked`, and move it away";
    let damaged = |what, source| AuthorityError::Damaged { path: path.to_owned(), what, remedy: REMEDY, source };
    let pem = storage::read(path)?.unwrap_or_default();
    if pem.is_empty() {
        storage::remove_file(path)?;
        return Ok(None);
    }
    let facts = CertificateFacts::from_pem(&pem).map_err(|e| damaged("not a certificate", Some(e.into())))?;
    if path.file_stem().is_some_and(|stem| stem == facts.serial.to_string().as_str()) {
        Ok(Some(facts))
    } else {
        Err(damaged("its name is not the certificate's serial number", None))
    }
}
