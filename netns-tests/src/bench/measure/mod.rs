//! A file a measurement.
// A measurement may fail, whether this one can or not.
#![allow(clippy::unnecessary_wraps)]

pub mod at_once;
pub mod deploy;
pub mod fabric;
pub mod htc;
mod inside;
pub mod join;
pub mod keys;
pub mod revocation;
pub mod scale;
pub mod servers;
pub mod settings;
mod stream;
pub mod transports;
pub mod tunnel;
