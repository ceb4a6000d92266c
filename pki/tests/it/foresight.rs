//! What will have broken by a given day.

use std::fmt::Write as _;

use jiff::Timestamp;
use landbridge_pki::Role;
use landbridge_pki::authority::{Broken, Revocation};

use crate::fixture::{Lab, after_days, name, now, passphrase};

/// The breakages as a person reads them, with what is random replaced.
fn shown(lab: &Lab, at: Timestamp) -> String {
    let mut text = String::new();
    for b in lab.authority.register().check(at).unwrap() {
        writeln!(text, "{} {} {}\n  {}\n  => {}", b.when, b.what_text(), b.name, b.why, b.remedy).unwrap();
    }
    for record in lab.authority.register().list(now()).unwrap() {
        text = text.replace(&record.certificate.serial.to_string(), "SERIAL");
        text = text.replace(record.certificate.authority.as_str(), "ID");
    }
    text
}

trait WhatText {
    fn what_text(&self) -> String;
}

impl WhatText for landbridge_pki::authority::Breakage {
    fn what_text(&self) -> String {
        serde_json::to_value(self.what).unwrap().as_str().unwrap().to_owned()
    }
}

fn cluster() -> Lab {
    let mut lab = Lab::new();
    lab.issue("front", Role::FrontEnd, now());
    lab.issue("ursa01", Role::Host, now());
    lab.issue("w1", Role::Worker, now());
    lab
}

#[test]
fn in_twenty_years_everything_has_broken() {
    insta::assert_snapshot!(shown(&cluster(), after_days(20 * 365)));
}

#[test]
fn today_nothing_has_broken() {
    assert_eq!(cluster().authority.register().check(now()).unwrap(), []);
}

#[test]
fn a_breakage_is_there_from_its_own_moment_on() {
    let lab = cluster();
    let end = after_days(90);
    assert_eq!(lab.authority.register().check(end - std::time::Duration::from_secs(1)).unwrap(), []);
    let broken = lab.authority.register().check(end).unwrap();
    assert_eq!(broken.iter().map(|b| (b.when, b.what)).collect::<Vec<_>>(), [(end, Broken::Worker)]);
}

#[test]
fn a_renewed_machine_breaks_when_its_last_certificate_ends() {
    let mut lab = cluster();
    lab.issue("w1", Role::Worker, after_days(60));
    assert_eq!(lab.authority.register().check(after_days(149)).unwrap(), []);
    assert_eq!(lab.authority.register().check(after_days(150)).unwrap()[0].when, after_days(150));
}

#[test]
fn a_revoked_machine_is_gone_and_not_broken() {
    let mut lab = cluster();
    lab.authority.register_mut().revoke(&Revocation::Name(name("w1")), now()).unwrap();
    assert_eq!(lab.authority.register().check(after_days(90)).unwrap(), []);
}

#[test]
fn a_rotation_moves_the_end_and_shows_the_old_authority_as_long_as_it_is_needed() {
    let mut lab = cluster();
    lab.authority.rotate(&passphrase(), after_days(1000)).unwrap();
    let broken = lab.authority.register().check(after_days(3650)).unwrap();
    assert_eq!(broken.last().map(|b| b.what), Some(Broken::OldAuthority));
    let broken = lab.authority.register().check(after_days(4650)).unwrap();
    assert_eq!(broken.last().map(|b| (b.what, b.when)), Some((Broken::Authority, after_days(4650))));
}
