//! What survives what.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use landbridge_pki::KeyPair;
use rcgen::{CertificateParams, DnType, KeyUsagePurpose};
use secrecy::ExposeSecret as _;

use super::{State, StateError};
use crate::paths::Paths;
use crate::wire::Identity;

struct Home {
    _dir: tempfile::TempDir,
    state: State,
}

fn home() -> Home {
    let dir = tempfile::tempdir().expect("a directory");
    let paths = Paths { state: dir.path().join("state"), run: dir.path().join("run"), log: dir.path().join("log") };
    Home { state: State::open(paths).expect("a state"), _dir: dir }
}

/// An identity for this key, as a front-end would give it.
fn identity(key: &KeyPair) -> Identity {
    let own = rcgen::KeyPair::from_pem(key.to_pem().expose_secret()).expect("a key");
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    for (what, value) in
        [(DnType::CommonName, "w1"), (DnType::OrganizationalUnitName, "worker"), (DnType::OrganizationName, "ursa")]
    {
        params.distinguished_name.push(what, value);
    }
    params.use_authority_key_identifier_extension = true;
    params.serial_number = Some(7_u64.into());
    let authority = authority();
    let certificate = params.signed_by(&own, &authority).expect("a certificate");
    Identity {
        cluster: "ursa".into(),
        name: landbridge_pki::NodeName::new("w1").expect("a name"),
        certificate_pem: certificate.pem(),
        trust_pem: authority.pem(),
        api: vec!["198.51.100.1:7443".into()],
    }
}

fn authority() -> rcgen::CertifiedIssuer<'static, rcgen::KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().expect("a key")).expect("an authority")
}

#[test]
fn a_machine_that_never_joined_is_nobody() {
    assert!(home().state.member().expect("reading").is_none());
}

#[test]
fn an_interrupted_request_is_made_again_with_the_same_key() {
    let home = home();
    let first = home.state.key_for_request().expect("a key").pin();
    assert_eq!(home.state.key_for_request().expect("the key").pin(), first);
}

#[test]
fn a_kept_identity_is_known_again_with_its_key() {
    let home = home();
    let key = home.state.key_for_request().expect("a key");
    home.state.keep_identity(&identity(&key)).expect("keeping");
    let member = home.state.member().expect("reading").expect("a member");
    assert_eq!(member.facts.spki_sha256, key.pin());
    assert_eq!(member.key_pem.expose_secret(), key.to_pem().expose_secret());
    assert_ne!(home.state.key_for_request().expect("a key").pin(), key.pin(), "a renewal takes a new key");
}

#[test]
fn a_crash_between_a_renewals_certificate_and_its_key_is_finished() {
    let home = home();
    let old = home.state.key_for_request().expect("a key");
    home.state.keep_identity(&identity(&old)).expect("keeping");
    let new = home.state.key_for_request().expect("a new key");
    // What keep_identity writes first; the crash comes before it renames the key.
    let text = serde_json::to_string(&identity(&new)).expect("JSON");
    fs::write(home.state.paths().identity(), text).expect("writing");
    let member = home.state.member().expect("reading").expect("a member");
    assert_eq!(member.facts.spki_sha256, new.pin());
    assert!(!home.state.paths().next_key().exists());
}

#[test]
fn a_crash_before_a_renewals_answer_leaves_the_old_identity() {
    let home = home();
    let old = home.state.key_for_request().expect("a key");
    home.state.keep_identity(&identity(&old)).expect("keeping");
    home.state.key_for_request().expect("a new key");
    assert_eq!(home.state.member().expect("reading").expect("a member").facts.spki_sha256, old.pin());
}

#[test]
fn a_certificate_without_its_key_is_said() {
    let home = home();
    let key = home.state.key_for_request().expect("a key");
    home.state.keep_identity(&identity(&key)).expect("keeping");
    fs::remove_file(home.state.paths().key()).expect("removing");
    assert!(matches!(home.state.member(), Err(StateError::KeyLost(_))));
}

#[test]
fn nobody_else_can_read_any_of_it() {
    let home = home();
    let key = home.state.key_for_request().expect("a key");
    home.state.keep_identity(&identity(&key)).expect("keeping");
    let mode = |path: &std::path::Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&home.state.paths().state), 0o700);
    for file in [home.state.paths().key(), home.state.paths().identity()] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_wiped_machine_is_nobody_again() {
    let home = home();
    let key = home.state.key_for_request().expect("a key");
    home.state.keep_identity(&identity(&key)).expect("keeping");
    home.state.wipe().expect("wiping");
    home.state.wipe().expect("wiping twice");
    assert!(home.state.member().expect("reading").is_none());
    assert_eq!(fs::read_dir(&home.state.paths().state).expect("the directory").count(), 0);
}
