//! What was issued, what was revoked, and what it is worth.

use std::fs;

use landbridge_pki::authority::{
    Authority, AuthorityError, CertificateSpec, CertificateState, IssueError, Previous, Register, Revocation,
};
use landbridge_pki::{KeyPair, Role, Serial};

use crate::fixture::{Lab, after_days, days, name, now, openssl, passphrase};

fn states(register: &Register, at: jiff::Timestamp) -> Vec<(String, CertificateState)> {
    register.list(at).unwrap().into_iter().map(|r| (r.certificate.name.to_string(), r.state)).collect()
}

#[test]
fn a_revoked_certificate_has_a_file_named_by_the_serial_number_that_openssl_shows() {
    let mut lab = Lab::new();
    for n in 0..20 {
        let issued = lab.issue(&format!("w{n}"), Role::Worker, now());
        lab.authority.register_mut().revoke(&Revocation::Serial(issued.facts.serial), now()).unwrap();
        let shown = openssl(&["x509", "-noout", "-serial"], &lab.file("leaf.pem", &issued.pem));
        let hexadecimal = shown.trim().strip_prefix("serial=").unwrap();
        assert!(!hexadecimal.starts_with('-'), "negative: {shown}");
        let decimal = u128::from_str_radix(hexadecimal, 16).unwrap().to_string();
        assert!(lab.authority.register().revoked_dir().join(decimal).exists());
    }
    assert_eq!(fs::read_dir(lab.authority.register().revoked_dir()).unwrap().count(), 20);
}

#[test]
fn revoking_twice_is_revoking_once() {
    let mut lab = Lab::new();
    let serial = lab.issue("w1", Role::Worker, now()).facts.serial;
    let register = lab.authority.register_mut();
    assert!(!register.revoked(serial).unwrap());
    assert_eq!(register.revoke(&Revocation::Name(name("w1")), now()).unwrap(), [serial]);
    assert_eq!(register.revoke(&Revocation::Name(name("w1")), now()).unwrap(), []);
    assert_eq!(register.revoke(&Revocation::Serial(serial), now()).unwrap(), []);
    assert!(register.revoked(serial).unwrap());
}

#[test]
fn revoking_a_name_takes_all_its_live_certificates_and_nobody_elses() {
    let mut lab = Lab::new();
    let ended = lab.issue("w1", Role::Worker, now());
    let later = after_days(100);
    let mut live: Vec<Serial> = (0..3).map(|_| lab.issue("w1", Role::Worker, later).facts.serial).collect();
    let other = lab.issue("w2", Role::Worker, later).facts.serial;
    let mut revoked = lab.authority.register_mut().revoke(&Revocation::Name(name("w1")), later).unwrap();
    live.sort();
    revoked.sort();
    assert_eq!(revoked, live);
    assert!(!lab.authority.register().revoked(other).unwrap());
    assert!(!lab.authority.register().revoked(ended.facts.serial).unwrap());
}

#[test]
fn what_was_never_issued_cant_be_revoked() {
    let mut lab = Lab::new();
    let register = lab.authority.register_mut();
    let by_name = register.revoke(&Revocation::Name(name("nobody")), now()).unwrap_err();
    assert!(matches!(by_name, AuthorityError::UnknownName(_)));
    let by_serial = register.revoke(&Revocation::Serial("7".parse().unwrap()), now()).unwrap_err();
    assert!(matches!(by_serial, AuthorityError::UnknownSerial(_)));
}

#[test]
fn renewing_keeps_the_old_certificate_unless_told_otherwise() {
    let mut lab = Lab::new();
    let first = lab.issue("w1", Role::Worker, now());
    let second = lab.issue("w1", Role::Worker, after_days(60));
    assert_eq!(second.superseded, []);
    assert!(!lab.authority.register().revoked(first.facts.serial).unwrap());
    let current = lab.authority.register().current(&name("w1"), after_days(60)).unwrap().unwrap();
    assert_eq!(current, second.facts);

    let spec = CertificateSpec { previous: Previous::Revoke, ..CertificateSpec::new(name("w1"), Role::Worker) };
    let mut superseded = lab.issue_as(&spec, after_days(61)).superseded;
    superseded.sort();
    let mut both = [first.facts.serial, second.facts.serial];
    both.sort();
    assert_eq!(superseded, both);
}

#[test]
fn a_list_is_by_name_and_says_what_each_is_worth() {
    let mut lab = Lab::new();
    lab.issue("w2", Role::Worker, now());
    let revoked = lab.issue("w1", Role::Worker, now()).facts.serial;
    lab.issue("w1", Role::Worker, after_days(60));
    lab.authority.register_mut().revoke(&Revocation::Serial(revoked), now()).unwrap();
    let expected = [
        ("w1".to_owned(), CertificateState::Revoked),
        ("w1".to_owned(), CertificateState::Valid),
        ("w2".to_owned(), CertificateState::Expired),
    ];
    assert_eq!(states(lab.authority.register(), after_days(91)), expected);
}

#[test]
fn everything_is_remembered_without_the_passphrase() {
    let mut lab = Lab::new();
    let issued = lab.issue("w1", Role::Worker, now());
    lab.authority.register_mut().revoke(&Revocation::Name(name("w1")), now()).unwrap();
    let before = lab.authority.register().list(now()).unwrap();
    let (_temp, dir) = lab.close();
    let register = Register::open(&dir).unwrap();
    assert_eq!(register.list(now()).unwrap(), before);
    assert_eq!(register.certificate_pem(issued.facts.serial).unwrap(), issued.pem);
    assert!(register.revoked(issued.facts.serial).unwrap());
}

#[test]
fn a_file_that_somebody_put_among_the_revoked_counts() {
    let mut lab = Lab::new();
    let serial = lab.issue("w1", Role::Worker, now()).facts.serial;
    fs::write(lab.authority.register().revoked_dir().join(serial.to_string()), "").unwrap();
    assert!(lab.authority.register().revoked(serial).unwrap());
    assert_eq!(lab.authority.register().current(&name("w1"), now()).unwrap(), None);
}

#[test]
fn what_ended_long_ago_can_be_forgotten() {
    let mut lab = Lab::new();
    let old = lab.issue("w1", Role::Worker, now()).facts.serial;
    lab.authority.register_mut().revoke(&Revocation::Serial(old), now()).unwrap();
    let kept = lab.issue("w2", Role::Worker, after_days(60)).facts.serial;
    assert_eq!(lab.authority.register_mut().forget_ended_before(after_days(91)).unwrap(), 1);
    assert_eq!(lab.authority.register_mut().forget_ended_before(after_days(91)).unwrap(), 0);
    let (_temp, dir) = lab.close();
    let register = Register::open(&dir).unwrap();
    let left: Vec<Serial> = register.list(now()).unwrap().iter().map(|r| r.certificate.serial).collect();
    assert_eq!(left, [kept]);
    assert!(!register.revoked(old).unwrap());
}

#[test]
fn nothing_is_issued_before_the_authority_begins_or_after_it_ended() {
    let mut lab = Lab::new();
    let csr = KeyPair::generate().unwrap().csr_pem().unwrap();
    let spec = CertificateSpec::new(name("w1"), Role::Worker);
    let early = lab.authority.issue(&csr, &spec, now() - days(1)).unwrap_err();
    assert!(matches!(early, IssueError::ClockBehind { .. }), "{early}");
    let late = lab.authority.issue(&csr, &spec, after_days(3650)).unwrap_err();
    assert!(matches!(late, IssueError::Ended(_)), "{late}");
    let never = CertificateSpec { life: std::time::Duration::ZERO, ..spec };
    assert!(matches!(lab.authority.issue(&csr, &never, now()).unwrap_err(), IssueError::Life(_)));
}

#[test]
fn an_authority_that_was_closed_goes_on_issuing() {
    let mut lab = Lab::new();
    lab.issue("w1", Role::Worker, now());
    let (temp, dir) = lab.close();
    let mut lab = Lab { authority: Authority::open(&dir, &passphrase()).unwrap(), temp };
    let issued = lab.issue("w2", Role::Worker, now());
    lab.accepts("sslclient", now(), &issued.pem).unwrap();
    assert_eq!(lab.authority.register().list(now()).unwrap().len(), 2);
}
