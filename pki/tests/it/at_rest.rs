//! The authority's directory: who may reach what, and that no key lies in it in the clear.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use landbridge_pki::Role;
use landbridge_pki::authority::{Authority, AuthorityError};
use openssl::pkey::PKey;
use secrecy::SecretString;

use crate::fixture::{Lab, PASSPHRASE, now, openssl, passphrase, run};

fn everything_below(dir: &Path) -> Vec<PathBuf> {
    let here = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    here.flat_map(
        |path| if path.is_dir() { [vec![path.clone()], everything_below(&path)].concat() } else { vec![path] },
    )
    .collect()
}

fn key_file(dir: &Path) -> PathBuf {
    let mut keys: Vec<PathBuf> = everything_below(dir).into_iter().filter(|path| path.ends_with("key.pem")).collect();
    assert_eq!(keys.len(), 1, "exactly one key: {keys:?}");
    keys.remove(0)
}

#[test]
fn openssl_opens_the_key_with_the_passphrase_and_only_with_it() {
    let lab = Lab::new();
    let key = key_file(&lab.dir());
    let public = openssl(&["pkey", "-passin", &format!("pass:{PASSPHRASE}"), "-pubout"], &key);
    let certificate = lab.file("ca.pem", &lab.authority.register().trust_pem());
    assert_eq!(public, openssl(&["x509", "-noout", "-pubkey"], &certificate));
    let wrong = run(Command::new("openssl").args(["pkey", "-passin", "pass:wrong", "-noout", "-in"]).arg(&key));
    assert!(!wrong.status.success());
}

#[test]
fn the_key_is_encrypted_under_scrypt_at_full_cost() {
    let lab = Lab::new();
    let parsed = openssl(&["asn1parse"], &key_file(&lab.dir()));
    let values: Vec<&str> = parsed.lines().filter_map(|line| line.rsplit_once(':').map(|(_, value)| value)).collect();
    let cost = ["4000", "08", "05"]; // N = 2^14, r = 8, p = 5
    assert!(values.windows(3).any(|w| w == cost), "{parsed}");
    assert!(["PBES2", "scrypt", "aes-256-cbc"].iter().all(|wanted| values.contains(wanted)), "{parsed}");
}

#[test]
fn no_file_has_the_key_in_the_clear() {
    let mut lab = Lab::new();
    lab.issue("w1", Role::Worker, now());
    lab.authority.rotate(&passphrase(), now()).unwrap();
    let opened = PKey::private_key_from_pem_passphrase(&fs::read(key_file(&lab.dir())).unwrap(), PASSPHRASE.as_bytes());
    let secret = opened.unwrap().ec_key().unwrap().private_key().to_vec_padded(32).unwrap();
    for path in everything_below(&lab.dir()).into_iter().filter(|path| path.is_file()) {
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(32).any(|window| window == secret), "{} has the key", path.display());
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("BEGIN PRIVATE KEY") && !text.contains("BEGIN EC PRIVATE"), "{}", path.display());
        assert!(!text.contains(PASSPHRASE), "{} has the passphrase", path.display());
    }
}

#[test]
fn nobody_else_can_reach_anything() {
    let mut lab = Lab::new();
    let serial = lab.issue("w1", Role::Worker, now()).facts.serial;
    lab.authority.register_mut().revoke(&landbridge_pki::authority::Revocation::Serial(serial), now()).unwrap();
    lab.authority.rotate(&passphrase(), now()).unwrap();
    for path in [vec![lab.dir()], everything_below(&lab.dir())].concat() {
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, wanted, "{}", path.display());
    }
}

#[test]
fn debug_shows_no_secret() {
    let lab = Lab::new();
    let shown = format!("{:?}", lab.authority);
    assert!(!shown.contains("PRIVATE") && !shown.contains(PASSPHRASE));
    assert!(shown.contains("key: KeyPair { .. }"));
}

#[test]
fn created_twice_is_created_once() {
    let lab = Lab::new();
    let first = lab.authority.register().trust_pem();
    let (_temp, dir) = lab.close();
    let again = Authority::create(&dir, "ursa", &passphrase(), now()).unwrap();
    assert_eq!(again.register().trust_pem(), first);
}

#[test]
fn the_directory_of_another_cluster_is_refused() {
    let (_temp, dir) = Lab::new().close();
    let refused = Authority::create(&dir, "lyra", &passphrase(), now()).unwrap_err();
    assert!(matches!(refused, AuthorityError::OtherCluster { .. }), "{refused}");
}

#[test]
fn an_empty_passphrase_is_refused_before_anything_is_written() {
    let temp = tempfile::TempDir::new().unwrap();
    let dir = temp.path().join("pki");
    let refused = Authority::create(&dir, "ursa", &SecretString::from(""), now()).unwrap_err();
    assert!(matches!(refused, AuthorityError::EmptyPassphrase));
    assert!(!dir.exists());
}

#[test]
fn a_name_that_no_certificate_can_carry_is_refused() {
    let temp = tempfile::TempDir::new().unwrap();
    for name in ["", " ursa", "ursa\n", "bär", &"u".repeat(62)] {
        let refused = Authority::create(temp.path(), name, &passphrase(), now()).unwrap_err();
        assert!(matches!(refused, AuthorityError::ClusterName(_)), "{name:?}: {refused}");
    }
}

#[test]
fn two_processes_never_share_the_directory() {
    let lab = Lab::new();
    let refused = Authority::open(&lab.dir(), &passphrase()).unwrap_err();
    assert!(matches!(refused, AuthorityError::InUse(_)), "{refused}");
    let (_temp, dir) = lab.close();
    Authority::open(&dir, &passphrase()).unwrap();
}
