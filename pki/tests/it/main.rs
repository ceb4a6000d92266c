//! The authority through its public interface, with OpenSSL (the library, and the program) and rustls as judges.
#![allow(clippy::unwrap_used)]

mod artefacts;
mod at_rest;
mod damage;
mod fixture;
mod foresight;
mod properties;
mod records;
mod requests;
mod rotation;
mod speed;
