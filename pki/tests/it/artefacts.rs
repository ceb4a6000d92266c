//! Every certificate, as OpenSSL sees it.

use landbridge_pki::authority::{AltName, CertificateSpec};
use landbridge_pki::{CertificateFacts, KeyPair, Role, certificates_of_bundle, pin_of_certificate};
use openssl::x509::X509;

use crate::fixture::{Lab, after_days, days, name, now, openssl};

fn text(lab: &Lab, pem: &str) -> String {
    openssl(&["x509", "-noout", "-text", "-nameopt", "RFC2253"], &lab.file("shown.pem", pem))
}

/// An extension's value in `openssl x509 -text`.
fn extension<'a>(text: &'a str, title: &str) -> Option<&'a str> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| line.starts_with(title))?;
    lines.next()
}

#[test]
fn the_authority_is_a_ca_that_can_sign_leaves_and_its_successor() {
    let lab = Lab::new();
    let shown = text(&lab, &lab.authority.register().trust_pem());
    assert_eq!(extension(&shown, "X509v3 Basic Constraints: critical"), Some("CA:TRUE, pathlen:1"));
    assert_eq!(extension(&shown, "X509v3 Key Usage: critical"), Some("Certificate Sign, CRL Sign"));
    assert!(shown.contains("Version: 3 (0x2)") && shown.contains("NIST CURVE: P-256"), "{shown}");
    assert!(shown.contains("Subject: CN=ursa CA "), "{shown}");
    let id = lab.authority.register().trust_pem();
    let pin = pin_of_certificate(&certificates_of_bundle(&id).unwrap()[0]).unwrap();
    let key_identifier = extension(&shown, "X509v3 Subject Key Identifier").unwrap().replace(':', "").to_lowercase();
    assert!(key_identifier.starts_with(&format!("{:016x}", u64::from_be_bytes(*pin.first_chunk().unwrap()))));
}

#[test]
fn the_authority_lives_ten_years() {
    let lab = Lab::new();
    assert_eq!(lab.authority.register().not_after(), after_days(3650));
    let pem = lab.authority.register().trust_pem();
    lab.verify("any", after_days(3649), &pem, "", &pem).unwrap();
    lab.verify("any", after_days(3650), &pem, "", &pem).unwrap_err();
}

#[test]
fn workers_and_hosts_are_clients_and_nothing_else() {
    let mut lab = Lab::new();
    for role in [Role::Worker, Role::Host] {
        let issued = lab.issue("w1", role, now());
        lab.accepts("sslclient", now(), &issued.pem).unwrap();
        lab.accepts("sslserver", now(), &issued.pem).unwrap_err();
        let shown = text(&lab, &issued.pem);
        assert_eq!(extension(&shown, "X509v3 Basic Constraints: critical"), Some("CA:FALSE"));
        assert_eq!(extension(&shown, "X509v3 Key Usage: critical"), Some("Digital Signature"));
        assert_eq!(extension(&shown, "X509v3 Extended Key Usage"), Some("TLS Web Client Authentication"));
        assert_eq!(extension(&shown, "X509v3 Subject Alternative Name"), None);
        assert!(shown.contains(&format!("Subject: CN=w1,OU={role},O=ursa")), "{shown}");
        assert!(shown.contains("X509v3 Subject Key Identifier") && shown.contains("X509v3 Authority Key Identifier"));
    }
}

#[test]
fn the_front_end_is_a_server_under_all_its_names_and_nothing_else() {
    let mut lab = Lab::new();
    let mut spec = CertificateSpec::new(name("front"), Role::FrontEnd);
    let more = ["198.51.100.1", "2001:db8::1", "head.example.org", "front"];
    spec.alt_names = more.map(|n| n.parse::<AltName>().unwrap()).to_vec();
    let issued = lab.issue_as(&spec, now());
    lab.accepts("sslserver", now(), &issued.pem).unwrap();
    lab.accepts("sslclient", now(), &issued.pem).unwrap_err();
    let shown = text(&lab, &issued.pem);
    assert_eq!(extension(&shown, "X509v3 Extended Key Usage"), Some("TLS Web Server Authentication"));
    assert_eq!(
        extension(&shown, "X509v3 Subject Alternative Name"),
        Some("DNS:front, DNS:head.example.org, IP Address:198.51.100.1, IP Address:2001:DB8:0:0:0:0:0:1")
    );
}

#[test]
fn a_certificate_begins_a_minute_ago_and_ends_as_its_role_says() {
    let mut lab = Lab::new();
    for (role, life) in [(Role::Worker, 90), (Role::Host, 365), (Role::FrontEnd, 365)] {
        let facts = lab.issue("m1", role, now()).facts;
        assert_eq!(facts.not_before.as_second(), now().as_second() - 60);
        assert_eq!(facts.not_after, after_days(life));
    }
}

#[test]
fn no_certificate_outlives_the_authority() {
    let mut lab = Lab::new();
    let late = lab.issue("w1", Role::Worker, after_days(3650 - 10));
    assert_eq!(late.facts.not_after, lab.authority.register().not_after());
    lab.accepts("sslclient", after_days(3649), &late.pem).unwrap();
}

#[test]
fn two_thirds_of_its_life_make_a_certificate_due_for_renewal() {
    let mut lab = Lab::new();
    let facts = lab.issue("w1", Role::Worker, now()).facts;
    assert!(!facts.renewal_due(after_days(59)));
    assert!(facts.renewal_due(after_days(60)));
}

#[test]
fn facts_are_what_openssl_reads() {
    let mut lab = Lab::new();
    let key = KeyPair::generate().unwrap();
    let spec = CertificateSpec { life: days(7), ..CertificateSpec::new(name("w1"), Role::Worker) };
    let issued = lab.authority.issue(&key.csr_pem().unwrap(), &spec, now()).unwrap();
    let judge = X509::from_pem(issued.pem.as_bytes()).unwrap();
    let facts = CertificateFacts::from_der(&judge.to_der().unwrap()).unwrap();
    assert_eq!(facts, issued.facts);
    assert_eq!(facts.serial.to_string(), judge.serial_number().to_bn().unwrap().to_dec_str().unwrap().to_string());
    assert_eq!(facts.spki_sha256, key.pin());
    let spki = judge.public_key().unwrap().public_key_to_der().unwrap();
    assert_eq!(facts.spki_sha256, openssl::sha::sha256(&spki));
    assert_eq!(pin_of_certificate(&judge.to_der().unwrap()).unwrap(), openssl::sha::sha256(&spki));
    assert_eq!((facts.cluster.as_str(), facts.role), ("ursa", Role::Worker));
}

#[test]
fn facts_survive_a_document() {
    let mut lab = Lab::new();
    let facts = lab.issue("w1", Role::Worker, now()).facts;
    let document = serde_json::to_string(&facts).unwrap();
    assert_eq!(serde_json::from_str::<CertificateFacts>(&document).unwrap(), facts);
}

#[test]
fn a_certificate_of_no_node_has_no_facts() {
    let lab = Lab::new();
    let refused = CertificateFacts::from_pem(&lab.authority.register().trust_pem()).unwrap_err();
    assert_eq!(refused.to_string(), "reading a certificate: its common name is no machine's");
    assert!(CertificateFacts::from_pem("").is_err());
    assert!(CertificateFacts::from_der(&[0x30, 0x03, 0x02, 0x01]).is_err());
}

#[test]
fn openssl_opens_a_nodes_own_key_and_finds_it_in_the_certificate() {
    use secrecy::ExposeSecret as _;
    let mut lab = Lab::new();
    let key = KeyPair::generate().unwrap();
    let issued =
        lab.authority.issue(&key.csr_pem().unwrap(), &CertificateSpec::new(name("w1"), Role::Worker), now()).unwrap();
    let public = openssl(&["pkey", "-pubout"], &lab.file("key.pem", key.to_pem().expose_secret()));
    assert_eq!(public, openssl(&["x509", "-noout", "-pubkey"], &lab.file("leaf.pem", &issued.pem)));
}
