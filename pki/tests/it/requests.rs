//! A request can ask for nothing, and a bad one gets a clear refusal.

use std::path::Path;
use std::process::Command;

use landbridge_pki::authority::{CertificateSpec, IssueError, MAX_CSR_BYTES, RequestError};
use landbridge_pki::{KeyPair, Role};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::stack::Stack;
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder, X509Req, X509ReqBuilder};

use crate::fixture::{Lab, name, now, run};

fn curve_key(curve: Nid) -> PKey<Private> {
    let group = EcGroup::from_curve_name(curve).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn request_for(key: &PKey<Private>, digest: MessageDigest) -> X509ReqBuilder {
    let mut builder = X509ReqBuilder::new().unwrap();
    builder.set_pubkey(key).unwrap();
    builder.sign(key, digest).unwrap();
    builder
}

fn pem(request: &X509Req) -> String {
    String::from_utf8(request.to_pem().unwrap()).unwrap()
}

fn request_by_openssl(key: &Path) -> String {
    let output = run(Command::new("openssl").args(["req", "-new", "-subj", "/CN=x", "-key"]).arg(key));
    String::from_utf8(output.stdout).unwrap()
}

/// A request for everything that a machine must not have.
fn greedy_request(key: &PKey<Private>) -> String {
    let mut builder = X509ReqBuilder::new().unwrap();
    builder.set_pubkey(key).unwrap();
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_text("CN", "front").unwrap();
    subject.append_entry_by_text("OU", "front-end").unwrap();
    builder.set_subject_name(&subject.build()).unwrap();
    let mut extensions = Stack::new().unwrap();
    extensions.push(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    extensions.push(KeyUsage::new().key_cert_sign().crl_sign().build().unwrap()).unwrap();
    extensions.push(ExtendedKeyUsage::new().server_auth().build().unwrap()).unwrap();
    let names =
        SubjectAlternativeName::new().dns("front").ip("198.51.100.1").build(&builder.x509v3_context(None)).unwrap();
    extensions.push(names).unwrap();
    builder.add_extensions(&extensions).unwrap();
    builder.sign(key, MessageDigest::sha256()).unwrap();
    pem(&builder.build())
}

fn refusal(csr: &str) -> RequestError {
    let mut lab = Lab::new();
    let spec = CertificateSpec::new(name("w1"), Role::Worker);
    match lab.authority.issue(csr, &spec, now()) {
        Err(IssueError::Request { source, .. }) => {
            assert!(lab.authority.register().list(now()).unwrap().is_empty(), "a refused request left a record");
            source
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_request_for_everything_gets_what_the_front_end_decided() {
    let mut lab = Lab::new();
    let key = curve_key(Nid::X9_62_PRIME256V1);
    let spec = CertificateSpec::new(name("w1"), Role::Worker);
    let greedy = lab.authority.issue(&greedy_request(&key), &spec, now()).unwrap();
    let modest = lab.issue("w1", Role::Worker, now());

    let [greedy, modest] = [greedy.pem, modest.pem].map(|pem| X509::from_pem(pem.as_bytes()).unwrap());
    assert_eq!(
        greedy.subject_name().to_der().unwrap(),
        modest.subject_name().to_der().unwrap(),
        "the subject was taken from the request"
    );
    assert!(greedy.subject_alt_names().is_none());
    assert!(greedy.public_key().unwrap().public_eq(&key));
    // Everything but numbers, keys and signatures is the same as for a request that asked for nothing.
    let shape = |certificate: &X509| {
        let text = String::from_utf8(certificate.to_text().unwrap()).unwrap();
        let numbers = |line: &&str| line.contains(|c: char| c.is_ascii_alphabetic() && !c.is_ascii_hexdigit());
        text.lines().filter(numbers).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(shape(&greedy), shape(&modest));
    let pem = String::from_utf8(greedy.to_pem().unwrap()).unwrap();
    lab.accepts("sslclient", now(), &pem).unwrap();
    lab.accepts("sslserver", now(), &pem).unwrap_err();
}

#[test]
fn a_request_signed_with_sha384_gets_a_certificate_with_a_readable_key() {
    let mut lab = Lab::new();
    let key = curve_key(Nid::X9_62_PRIME256V1);
    let csr = pem(&request_for(&key, MessageDigest::sha384()).build());
    let issued = lab.authority.issue(&csr, &CertificateSpec::new(name("w1"), Role::Worker), now()).unwrap();
    lab.accepts("sslclient", now(), &issued.pem).unwrap();
    assert!(X509::from_pem(issued.pem.as_bytes()).unwrap().public_key().unwrap().public_eq(&key));
}

#[test]
fn a_key_written_in_an_unusual_way_is_written_as_usual_in_the_certificate() {
    let mut lab = Lab::new();
    for unusual in [["-conv_form", "compressed"], ["-param_enc", "explicit"]] {
        let key = lab.temp.path().join("key.pem");
        let curve = ["ecparam", "-name", "prime256v1", "-genkey", "-noout"];
        assert!(run(Command::new("openssl").args(curve).args(unusual).arg("-out").arg(&key)).status.success());
        let csr = request_by_openssl(&key);
        let issued = lab.authority.issue(&csr, &CertificateSpec::new(name("w1"), Role::Worker), now()).unwrap();
        lab.accepts("sslclient", now(), &issued.pem).unwrap();
        let spki = X509::from_pem(issued.pem.as_bytes()).unwrap().public_key().unwrap().public_key_to_der().unwrap();
        assert_eq!(spki.len(), 91, "{unusual:?}: not the named curve and the whole point");
    }
}

#[test]
fn a_request_for_somebody_elses_key_is_refused() {
    let (mine, theirs) = (curve_key(Nid::X9_62_PRIME256V1), curve_key(Nid::X9_62_PRIME256V1));
    let mut builder = X509ReqBuilder::new().unwrap();
    builder.set_pubkey(&theirs).unwrap();
    builder.sign(&mine, MessageDigest::sha256()).unwrap();
    assert!(matches!(refusal(&pem(&builder.build())), RequestError::Signature));
}

#[test]
fn only_keys_on_p256_are_accepted() {
    for key in
        [curve_key(Nid::SECP384R1), curve_key(Nid::SECP256K1), PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()]
    {
        let csr = pem(&request_for(&key, MessageDigest::sha256()).build());
        assert!(matches!(refusal(&csr), RequestError::Key));
    }
}

#[test]
fn what_is_no_request_is_refused() {
    let good = KeyPair::generate().unwrap().csr_pem().unwrap();
    for text in ["", "hello", &good[..good.len() / 2], &good.replace("REQUEST", "QUEST")] {
        assert!(matches!(refusal(text), RequestError::Syntax(_)), "{text:?}");
    }
    assert!(matches!(refusal(&"A".repeat(MAX_CSR_BYTES + 1)), RequestError::TooLong(_)));
}

#[test]
fn a_request_with_any_bit_turned_over_never_yields_a_certificate_for_another_key() {
    let mut lab = Lab::new();
    let key = KeyPair::generate().unwrap();
    let good = X509Req::from_pem(key.csr_pem().unwrap().as_bytes()).unwrap().to_der().unwrap();
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let Ok(request) = X509Req::from_der(&bad) else { continue };
        if let Ok(issued) = lab.authority.issue(&pem(&request), &CertificateSpec::new(name("w1"), Role::Worker), now())
        {
            assert_eq!(issued.facts.spki_sha256, key.pin(), "bit {bit}");
        }
    }
}

#[test]
fn a_refusal_says_what_is_wrong() {
    let mut lab = Lab::new();
    let key = curve_key(Nid::SECP384R1);
    let csr = pem(&request_for(&key, MessageDigest::sha256()).build());
    let refused = lab.authority.issue(&csr, &CertificateSpec::new(name("w1"), Role::Worker), now()).unwrap_err();
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    insta::assert_snapshot!(format!("{refused}: {cause}"));
}
