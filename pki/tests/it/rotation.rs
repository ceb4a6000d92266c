//! A rotation, seen by those who know only one side of it.

use std::fs;
use std::sync::Arc;

use jiff::Timestamp;
use landbridge_pki::authority::{
    Authority, AuthorityError, CertificateState, Issued, Leftovers, Retired, Rotation, RotationStatus,
};
use landbridge_pki::{Pin, Role, certificates_of_bundle, pin_of_certificate};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use secrecy::SecretString;

use crate::fixture::{Lab, after_days, name, now, passphrase};

/// A cluster in the middle of a rotation: who got a certificate before, and after it began.
struct Overlap {
    lab: Lab,
    old_trust: String,
    old_worker: Issued,
    new_worker: Issued,
    new_front: Issued,
}

fn overlap() -> Overlap {
    let mut lab = Lab::new();
    let old_trust = lab.authority.register().trust_pem();
    let old_worker = lab.issue("w1", Role::Worker, now());
    assert!(matches!(lab.authority.rotate(&passphrase(), after_days(1)).unwrap(), Rotation::Begun(_)));
    let new_worker = lab.issue("w2", Role::Worker, after_days(1));
    let new_front = lab.issue("front", Role::FrontEnd, after_days(1));
    Overlap { lab, old_trust, old_worker, new_worker, new_front }
}

fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    certificates_of_bundle(pem).unwrap().into_iter().map(CertificateDer::from).collect()
}

/// What a joining node does: the certificate of the chain that has the pin is its anchor.
fn rustls_accepts(chain: &str, pin: Pin, at: Timestamp) -> Result<(), rustls::Error> {
    let chain = certificates(chain);
    let anchor = chain.iter().find(|c| pin_of_certificate(c).unwrap() == pin).expect("the pin is in the chain");
    let mut roots = RootCertStore::empty();
    roots.add(anchor.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(at.as_second().unsigned_abs()));
    let name = ServerName::try_from("front").unwrap();
    verifier.verify_server_cert(&chain[0], &chain[1..], &name, &[], time).map(|_| ())
}

#[test]
fn during_a_rotation_the_bundle_accepts_both_generations() {
    let o = overlap();
    let trust = o.lab.authority.register().trust_pem();
    assert_eq!(certificates(&trust).len(), 2);
    for leaf in [&o.old_worker.pem, &o.new_worker.pem] {
        o.lab.verify("sslclient", after_days(1), &trust, "", leaf).unwrap();
    }
    assert_ne!(o.old_worker.facts.authority, o.new_worker.facts.authority);
}

#[test]
fn a_node_that_knows_only_the_old_authority_accepts_the_new_server() {
    let o = overlap();
    let chain = o.lab.authority.register().server_chain_pem(&o.new_front.pem).unwrap();
    o.lab.verify("sslserver", after_days(1), &o.old_trust, &chain, &o.new_front.pem).unwrap();
    o.lab.verify("sslserver", after_days(1), &o.old_trust, "", &o.new_front.pem).unwrap_err();
}

#[test]
fn a_node_that_knows_only_the_new_authority_accepts_the_new_server() {
    let o = overlap();
    let chain = o.lab.authority.register().server_chain_pem(&o.new_front.pem).unwrap();
    let mut lab = o.lab;
    lab.authority.register_mut().retire_old(Leftovers::LockOut, after_days(2)).unwrap();
    let new_trust = lab.authority.register().trust_pem();
    lab.verify("sslserver", after_days(2), &new_trust, &chain, &o.new_front.pem).unwrap();
}

#[test]
fn tokens_with_the_old_pin_and_with_the_new_one_both_lead_to_the_server() {
    let o = overlap();
    let chain = o.lab.authority.register().server_chain_pem(&o.new_front.pem).unwrap();
    let pins = o.lab.authority.register().pins();
    assert_eq!(pins.len(), 2);
    for pin in pins {
        rustls_accepts(&chain, pin, after_days(1)).unwrap();
    }
}

#[test]
fn outside_of_a_rotation_a_token_leads_to_the_server() {
    let mut lab = Lab::new();
    let front = lab.issue("front", Role::FrontEnd, now());
    let chain = lab.authority.register().server_chain_pem(&front.pem).unwrap();
    rustls_accepts(&chain, lab.authority.register().pins()[0], now()).unwrap();
    let stranger = Lab::new();
    let mut forged = stranger.authority.register().trust_pem();
    forged.insert_str(0, &front.pem);
    rustls_accepts(&forged, stranger.authority.register().pins()[0], now()).unwrap_err();
}

#[test]
fn a_server_certificate_of_the_old_generation_is_still_served_with_its_own_anchor() {
    let mut lab = Lab::new();
    let front = lab.issue("front", Role::FrontEnd, now());
    let old_pin = lab.authority.register().pins()[0];
    lab.authority.rotate(&passphrase(), after_days(1)).unwrap();
    let chain = lab.authority.register().server_chain_pem(&front.pem).unwrap();
    rustls_accepts(&chain, old_pin, after_days(1)).unwrap();
}

#[test]
fn after_the_rotation_only_the_new_generation_counts() {
    let mut o = overlap();
    let retired = o.lab.authority.register_mut().retire_old(Leftovers::LockOut, after_days(2)).unwrap();
    assert_eq!(retired.authority, Some(o.old_worker.facts.authority.clone()));
    assert_eq!(retired.revoked, [o.old_worker.facts.serial]);
    let register = o.lab.authority.register();
    assert_eq!(register.pins().len(), 1);
    o.lab.accepts("sslclient", after_days(2), &o.old_worker.pem).unwrap_err();
    o.lab.accepts("sslclient", after_days(2), &o.new_worker.pem).unwrap();
    let old = register.list(after_days(2)).unwrap().into_iter().find(|r| r.certificate == o.old_worker.facts);
    assert_eq!(old.unwrap().state, CertificateState::Revoked);
}

#[test]
fn a_rotation_does_not_end_while_a_node_needs_the_old_generation() {
    let mut o = overlap();
    let refused = o.lab.authority.register_mut().retire_old(Leftovers::Refuse, after_days(2)).unwrap_err();
    assert!(matches!(refused, AuthorityError::StillNeeded { .. }));
    let id = o.old_worker.facts.authority.to_string();
    insta::assert_snapshot!(refused.to_string().replace(&id, "ID"));
    o.lab.issue("w1", Role::Worker, after_days(2));
    let retired = o.lab.authority.register_mut().retire_old(Leftovers::Refuse, after_days(2)).unwrap();
    assert_eq!(retired.revoked, [o.old_worker.facts.serial]);
}

#[test]
fn the_status_tells_who_has_renewed_and_who_has_not() {
    let mut o = overlap();
    let RotationStatus::Overlap { renewed, waiting, since, .. } =
        o.lab.authority.register().rotation_status(after_days(1)).unwrap()
    else {
        panic!("no rotation")
    };
    assert_eq!((renewed, waiting), (vec![name("front"), name("w2")], vec![name("w1")]));
    assert_eq!(since, after_days(1));
    o.lab.authority.register_mut().retire_old(Leftovers::LockOut, after_days(2)).unwrap();
    let settled = o.lab.authority.register().rotation_status(after_days(2)).unwrap();
    assert!(matches!(settled, RotationStatus::Settled { .. }));
}

#[test]
fn a_node_is_told_to_renew_by_the_bundle_whatever_its_certificates_age() {
    let o = overlap();
    let trust = o.lab.authority.register().trust_pem();
    assert!(o.old_worker.facts.superseded_by_rotation(&trust).unwrap());
    assert!(!o.new_worker.facts.superseded_by_rotation(&trust).unwrap());
    assert!(!o.old_worker.facts.superseded_by_rotation(&o.old_trust).unwrap());
}

#[test]
fn rotated_twice_is_rotated_once_and_retired_twice_is_retired_once() {
    let mut o = overlap();
    let trust = o.lab.authority.register().trust_pem();
    assert!(matches!(o.lab.authority.rotate(&passphrase(), after_days(2)).unwrap(), Rotation::UnderWay(_)));
    assert_eq!(o.lab.authority.register().trust_pem(), trust);
    o.lab.authority.register_mut().retire_old(Leftovers::LockOut, after_days(3)).unwrap();
    let again = o.lab.authority.register_mut().retire_old(Leftovers::LockOut, after_days(3)).unwrap();
    assert_eq!(again, Retired::default());
}

#[test]
fn a_rotation_survives_being_closed_at_every_stage() {
    let o = overlap();
    let trust = o.lab.authority.register().trust_pem();
    let chain = o.lab.authority.register().server_chain_pem(&o.new_front.pem).unwrap();
    let (temp, dir) = o.lab.close();
    let mut lab = Lab { authority: Authority::open(&dir, &passphrase()).unwrap(), temp };
    assert_eq!(lab.authority.register().trust_pem(), trust);
    assert_eq!(lab.authority.register().server_chain_pem(&o.new_front.pem).unwrap(), chain);
    lab.authority.register_mut().retire_old(Leftovers::LockOut, after_days(2)).unwrap();
    let trust = lab.authority.register().trust_pem();
    let (temp, dir) = lab.close();
    let mut lab = Lab { authority: Authority::open(&dir, &passphrase()).unwrap(), temp };
    assert_eq!(lab.authority.register().trust_pem(), trust);
    assert!(matches!(lab.authority.rotate(&passphrase(), after_days(3)).unwrap(), Rotation::Begun(_)));
}

#[test]
fn the_old_key_is_destroyed_once_it_has_done_its_last_work() {
    let o = overlap();
    let old = o.lab.dir().join("authorities").join(o.old_worker.facts.authority.as_str());
    assert!(old.join("certificate.pem").exists());
    assert!(!old.join("key.pem").exists());
}

#[test]
fn retiring_leaves_nothing_of_the_old_generation_on_disk() {
    let mut o = overlap();
    o.lab.authority.register_mut().retire_old(Leftovers::LockOut, after_days(2)).unwrap();
    let left: Vec<_> = fs::read_dir(o.lab.dir().join("authorities")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(left, [o.lab.dir().join("authorities").join(o.new_worker.facts.authority.as_str())]);
    assert!(!left[0].join("cross.pem").exists());
}

#[test]
fn a_wrong_passphrase_begins_no_rotation() {
    let mut lab = Lab::new();
    let trust = lab.authority.register().trust_pem();
    let refused = lab.authority.rotate(&SecretString::from("wrong"), now()).unwrap_err();
    assert!(matches!(refused, AuthorityError::WrongPassphrase(_)));
    assert_eq!(lab.authority.register().trust_pem(), trust);
}

#[test]
fn an_authority_that_has_ended_can_still_be_rotated() {
    let mut lab = Lab::new();
    let late = after_days(4000);
    lab.authority.rotate(&passphrase(), late).unwrap();
    let front = lab.issue("front", Role::FrontEnd, late);
    lab.accepts("sslserver", late, &front.pem).unwrap();
    let register = lab.authority.register();
    rustls_accepts(&register.server_chain_pem(&front.pem).unwrap(), register.pins()[0], late).unwrap();
}
