//! A directory that isn't as it should be: which file, what is wrong, what to do.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use landbridge_pki::Role;
use landbridge_pki::authority::{Authority, AuthorityError, Register};
use secrecy::SecretString;

use crate::fixture::{Lab, now, passphrase};

/// What a person sees when the authority is opened after `damage`, with what is random replaced.
fn message(damage: impl FnOnce(&Path, &str)) -> String {
    let mut lab = Lab::new();
    let serial = lab.issue("w1", Role::Worker, now()).facts.serial.to_string();
    let (temp, dir) = lab.close();
    damage(&dir, &serial);
    let error = Authority::open(&dir, &passphrase()).unwrap_err();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        write!(text, "\n  because: {inner}").unwrap();
        cause = inner.source();
    }
    let id = generation(&dir).file_name().unwrap().to_str().unwrap().to_owned();
    text.replace(&temp.path().display().to_string(), "").replace(&serial, "SERIAL").replace(&id, "ID")
}

fn generation(dir: &Path) -> PathBuf {
    fs::read_dir(dir.join("authorities")).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn a_wrong_passphrase_says_so() {
    let (_temp, dir) = Lab::new().close();
    for wrong in ["", "wrong", "correct horse battery stapl"] {
        let refused = Authority::open(&dir, &SecretString::from(wrong)).unwrap_err();
        assert!(matches!(refused, AuthorityError::WrongPassphrase(_)), "{refused}");
        assert!(refused.to_string().starts_with("the passphrase does not open"));
    }
}

#[test]
fn no_authority_at_all() {
    let temp = tempfile::TempDir::new().unwrap();
    let refused = Authority::open(temp.path(), &passphrase()).unwrap_err();
    assert!(matches!(refused, AuthorityError::NotThere(_)));
    assert!(!Authority::exists(temp.path()));
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0, "opening left something behind");
}

#[test]
fn a_damaged_state() {
    insta::assert_snapshot!(message(|dir, _| fs::write(dir.join("authority.json"), "{").unwrap()));
}

#[test]
fn a_missing_key() {
    insta::assert_snapshot!(message(|dir, _| fs::remove_file(generation(dir).join("key.pem")).unwrap()));
}

#[test]
fn a_damaged_key() {
    insta::assert_snapshot!(message(|dir, _| fs::write(generation(dir).join("key.pem"), "no key").unwrap()));
}

#[test]
fn the_key_of_another_authority() {
    let other = Lab::new();
    let key = generation(&other.dir()).join("key.pem");
    insta::assert_snapshot!(message(|dir, _| {
        fs::copy(key, generation(dir).join("key.pem")).unwrap();
    }));
}

#[test]
fn a_missing_certificate() {
    insta::assert_snapshot!(message(|dir, _| fs::remove_file(generation(dir).join("certificate.pem")).unwrap()));
}

#[test]
fn the_certificate_of_another_authority() {
    let other = Lab::new().authority.register().trust_pem();
    insta::assert_snapshot!(message(|dir, _| fs::write(generation(dir).join("certificate.pem"), other).unwrap()));
}

#[test]
fn a_damaged_record() {
    let damage =
        |dir: &Path, serial: &str| fs::write(dir.join(format!("issued/{serial}.pem")), "no certificate").unwrap();
    insta::assert_snapshot!(message(damage));
}

#[test]
fn a_record_under_a_false_name() {
    let damage = |dir: &Path, serial: &str| {
        fs::rename(dir.join(format!("issued/{serial}.pem")), dir.join("issued/7.pem")).unwrap();
    };
    insta::assert_snapshot!(message(damage));
}

#[test]
fn a_key_that_others_can_read() {
    let damage = |dir: &Path, _: &str| {
        fs::set_permissions(generation(dir).join("key.pem"), fs::Permissions::from_mode(0o640)).unwrap();
    };
    insta::assert_snapshot!(message(damage));
}

#[test]
fn a_directory_that_others_can_write() {
    let damage = |dir: &Path, _: &str| fs::set_permissions(dir, fs::Permissions::from_mode(0o777)).unwrap();
    insta::assert_snapshot!(message(damage));
}

#[test]
fn files_of_others_among_the_records_are_left_alone() {
    let (_temp, dir) = Lab::new().close();
    for file in ["issued/.7.pem.swp", "issued/README", "revoked/README"] {
        fs::write(dir.join(file), "not ours").unwrap();
    }
    assert_eq!(Register::open(&dir).unwrap().list(now()).unwrap(), []);
    assert!(dir.join("revoked/README").exists());
}

#[test]
fn an_empty_record_is_of_a_certificate_that_was_never_handed_out() {
    let mut lab = Lab::new();
    let kept = lab.issue("w1", Role::Worker, now()).facts;
    let (_temp, dir) = lab.close();
    fs::write(dir.join("issued/7.pem"), "").unwrap();
    let records = Register::open(&dir).unwrap().list(now()).unwrap();
    assert_eq!(records.into_iter().map(|r| r.certificate).collect::<Vec<_>>(), [kept]);
    assert!(!dir.join("issued/7.pem").exists());
}
