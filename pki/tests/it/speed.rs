//! Issuing is fast because the slow part, deriving a key from the passphrase, is done once, at opening. `scripts/bench` measures.

use std::fs;

use landbridge_pki::Role;

use crate::fixture::{Lab, now};

#[test]
fn issuing_needs_neither_the_passphrase_nor_the_encrypted_key() {
    let mut lab = Lab::new();
    for generation in fs::read_dir(lab.dir().join("authorities")).unwrap() {
        fs::remove_file(generation.unwrap().path().join("key.pem")).unwrap();
    }
    let issued = lab.issue("w1", Role::Worker, now());
    lab.accepts("sslclient", now(), &issued.pem).unwrap();
}
