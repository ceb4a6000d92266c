//! `landbridge`: one private LAN, bridged from your racks into EC2.

use std::process::ExitCode;

use clap::Parser as _;
use landbridge::cli::{Arguments, run};

/// Parse, run, report: the only place that exits.
fn main() -> ExitCode {
    // One crypto provider in the whole tree; it fails only when there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            if !error.is_told() {
                eprintln!("{:?}", miette::Report::new(error));
            }
            ExitCode::FAILURE
        }
    }
}
