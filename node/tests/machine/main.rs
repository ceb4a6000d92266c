//! A machine, converged for real: files in temporary directories, real processes, real mounts and links in namespaces
//! that go with the test.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod crash;
mod files;
mod kernel;
mod processes;
mod properties;
mod runs;
mod scratch;
mod whole;
mod wishes;
