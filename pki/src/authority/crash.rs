//! Tests only: the process "dies" at every step of the storage in turn, and what is on disk then must do.

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use secrecy::SecretString;
use tempfile::TempDir;

use super::{Authority, AuthorityError, CertificateSpec, Leftovers, Previous, Record, Register, Revocation, Rotation};
use crate::{KeyPair, NodeName, Role};

thread_local! {
    static STEPS_LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Asked before every step of the storage.
pub(super) fn point() -> io::Result<()> {
    match STEPS_LEFT.get() {
        Some(0) => Err(io::Error::other("the process died here")),
        left => {
            STEPS_LEFT.set(left.map(|n| n - 1));
            Ok(())
        }
    }
}

/// Lets `work` make so many steps in the storage and none after that, as if the process had been killed.
fn killed_after<T>(steps: usize, work: impl FnOnce() -> T) -> T {
    STEPS_LEFT.set(Some(steps));
    let result = work();
    STEPS_LEFT.set(None);
    result
}

/// Runs `work` on a fresh copy of `before`, killed after 0, 1, 2 … steps, and `inspect` on what that left, until it isn't
/// killed any more.
fn killed_at_every_step<T>(
    before: &Path,
    work: impl Fn(&Path) -> Result<T, AuthorityError>,
    inspect: impl Fn(&Path, Option<T>),
) {
    for steps in 0.. {
        let temp = TempDir::new().expect("a directory");
        let dir = temp.path().join("pki");
        copy(before, &dir);
        let done = killed_after(steps, || work(&dir)).ok();
        let finished = done.is_some();
        inspect(&dir, done);
        if finished {
            assert!(steps > 3, "only {steps} steps: they are not counted");
            return;
        }
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp");
    assert!(copied.success());
}

fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().expect("a time")
}

fn passphrase() -> SecretString {
    "correct horse battery staple".into()
}

fn worker() -> CertificateSpec {
    CertificateSpec::new(NodeName::new("w1").expect("a name"), Role::Worker)
}

fn csr() -> String {
    KeyPair::generate().and_then(|key| key.csr_pem()).expect("a request")
}

/// An authority that issued one certificate.
fn in_use() -> (TempDir, PathBuf) {
    let temp = TempDir::new().expect("a directory");
    let dir = temp.path().join("pki");
    let mut authority = Authority::create(&dir, "ursa", &passphrase(), now()).expect("an authority");
    authority.issue(&csr(), &worker(), now()).expect("a certificate");
    (temp, dir)
}

fn records(dir: &Path) -> Vec<Record> {
    Register::open(dir).and_then(|register| Ok(register.list(now())?)).expect("a list")
}

/// What must hold whatever happened: it opens, issues, trusts what it issues, and has nothing left over.
fn works(dir: &Path) {
    let mut authority = Authority::open(dir, &passphrase()).expect("it opens");
    let issued = authority.issue(&csr(), &worker(), now()).expect("it issues");
    assert_eq!(issued.facts.authority, authority.register().current.id);
    let generations = fs::read_dir(dir.join("authorities")).expect("generations").count();
    assert_eq!(generations, authority.register().pins().len(), "a generation that nobody names");
    let keys = fs::read_dir(dir.join("authorities")).expect("generations");
    assert_eq!(keys.filter(|g| g.as_ref().expect("one").path().join("key.pem").exists()).count(), 1, "keys");
    assert_eq!(fs::read_dir(dir.join("staging")).expect("staging").count(), 0, "half a file");
}

#[test]
fn a_creation_that_is_killed_at_any_step_leaves_an_authority_or_none() {
    let temp = TempDir::new().expect("a directory");
    let create = |dir: &Path| Authority::create(dir, "ursa", &passphrase(), now()).map(|_| ());
    killed_at_every_step(temp.path(), create, |dir, done| {
        assert!(done.is_none() || Authority::exists(dir));
        let trust = Register::open(dir).ok().map(|register| register.trust_pem());
        let again = Authority::create(dir, "ursa", &passphrase(), now()).expect("it can be created again");
        assert!(trust.is_none_or(|trust| trust == again.register().trust_pem()), "another authority than before");
        drop(again);
        works(dir);
    });
}

#[test]
fn a_rotation_that_is_killed_at_any_step_has_begun_or_not() {
    let (_temp, before) = in_use();
    let old = Register::open(&before).expect("a register").pins()[0];
    let rotate = |dir: &Path| Authority::open(dir, &passphrase())?.rotate(&passphrase(), now()).map(|_| ());
    killed_at_every_step(&before, rotate, |dir, done| {
        let pins = Register::open(dir).expect("a register").pins();
        assert!(pins.contains(&old), "the old authority is not trusted any more");
        assert!(done.is_none() || pins.len() == 2);
        works(dir);
        let again =
            Authority::open(dir, &passphrase()).and_then(|mut a| a.rotate(&passphrase(), now())).expect("again");
        assert_eq!(matches!(again, Rotation::UnderWay(_)), pins.len() == 2);
    });
}

#[test]
fn a_retirement_that_is_killed_at_any_step_can_be_finished() {
    let (_temp, before) = in_use();
    Authority::open(&before, &passphrase()).and_then(|mut a| a.rotate(&passphrase(), now())).expect("a rotation");
    let retire = |dir: &Path| Register::open(dir)?.retire_old(Leftovers::LockOut, now()).map(|_| ());
    killed_at_every_step(&before, retire, |dir, _| {
        retire(dir).expect("it can be finished");
        let register = Register::open(dir).expect("a register");
        assert_eq!(register.pins().len(), 1);
        assert!(register.revoked(register.issued.all().next().expect("one").serial).expect("an answer"));
        drop(register);
        works(dir);
    });
}

#[test]
fn a_certificate_that_was_handed_out_is_on_record_wherever_the_process_is_killed() {
    let (_temp, before) = in_use();
    let spec = CertificateSpec { previous: Previous::Revoke, ..worker() };
    let issue = |dir: &Path| {
        let mut authority = Authority::open(dir, &passphrase())?;
        authority.issue(&csr(), &spec, now()).map_err(|_| AuthorityError::Random)
    };
    killed_at_every_step(&before, issue, |dir, done| {
        let records = records(dir);
        assert!(done.is_none_or(|issued| records.iter().any(|r| r.certificate == issued.facts)));
        works(dir);
    });
}

#[test]
fn a_revocation_that_is_killed_at_any_step_can_be_repeated() {
    let (_temp, before) = in_use();
    let revoke = |dir: &Path| Register::open(dir)?.revoke(&Revocation::Name(worker().name), now()).map(|_| ());
    killed_at_every_step(&before, revoke, |dir, _| {
        revoke(dir).expect("it can be repeated");
        assert!(Register::open(dir).expect("a register").current(&worker().name, now()).expect("an answer").is_none());
    });
}
