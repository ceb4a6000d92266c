//! A cluster's authority in a temporary directory, and the strangers that judge it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jiff::Timestamp;
use landbridge_pki::authority::{Authority, CertificateSpec, Issued};
use landbridge_pki::{KeyPair, NodeName, Role};
use secrecy::SecretString;
use tempfile::TempDir;

pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

/// The moment at which every test begins.
pub(crate) fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn days(n: u64) -> std::time::Duration {
    std::time::Duration::from_hours(24 * n)
}

pub(crate) fn after_days(n: u64) -> Timestamp {
    now() + days(n)
}

pub(crate) fn passphrase() -> SecretString {
    PASSPHRASE.into()
}

pub(crate) fn name(text: &str) -> NodeName {
    NodeName::new(text).unwrap()
}

/// An authority of the cluster "ursa", and a place for files.
pub(crate) struct Lab {
    pub(crate) authority: Authority,
    pub(crate) temp: TempDir,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let temp = TempDir::new().unwrap();
        let authority = Authority::create(&temp.path().join("pki"), "ursa", &passphrase(), now()).unwrap();
        Self { authority, temp }
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.temp.path().join("pki")
    }

    /// Closes the authority and keeps its directory.
    pub(crate) fn close(self) -> (TempDir, PathBuf) {
        let dir = self.dir();
        (self.temp, dir)
    }

    /// A certificate with a new key, by the defaults of its role.
    pub(crate) fn issue(&mut self, of: &str, role: Role, at: Timestamp) -> Issued {
        self.issue_as(&CertificateSpec::new(name(of), role), at)
    }

    pub(crate) fn issue_as(&mut self, spec: &CertificateSpec, at: Timestamp) -> Issued {
        self.authority.issue(&KeyPair::generate().unwrap().csr_pem().unwrap(), spec, at).unwrap()
    }

    /// Writes a file beside the authority's directory.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.temp.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// What `openssl verify` says of a certificate at a moment, given whom to trust and what else was sent.
    pub(crate) fn verify(
        &self,
        purpose: &str,
        at: Timestamp,
        trust: &str,
        sent: &str,
        leaf: &str,
    ) -> Result<(), String> {
        let trust = self.file("trust.pem", trust);
        let leaf = self.file("leaf.pem", leaf);
        let mut command = Command::new("openssl");
        command.args(["verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-purpose", purpose]);
        command.arg("-attime").arg(at.as_second().to_string());
        command.arg("-CAfile").arg(&trust);
        if !sent.is_empty() {
            command.arg("-untrusted").arg(self.file("sent.pem", sent));
        }
        let output = run(command.arg(&leaf));
        let said = [output.stdout, output.stderr].concat();
        if output.status.success() { Ok(()) } else { Err(String::from_utf8(said).unwrap()) }
    }

    /// The same, with the authority's own bundle and nothing else sent.
    pub(crate) fn accepts(&self, purpose: &str, at: Timestamp, leaf: &str) -> Result<(), String> {
        self.verify(purpose, at, &self.authority.register().trust_pem(), "", leaf)
    }
}

/// Standard output of `openssl`, which must succeed.
pub(crate) fn openssl(arguments: &[&str], file: &Path) -> String {
    let output = run(Command::new("openssl").args(arguments).arg("-in").arg(file));
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn run(command: &mut Command) -> Output {
    command.output().expect("these tests need the program `openssl` (Debian: openssl)")
}
