//! `landbridged`: the front-end's daemon. A program of its own, since only it speaks to libvirt, whose fifty libraries would cost
//! every command of a person's ten milliseconds.

use std::process::ExitCode;

use clap::Parser as _;
use landbridge::cli::{DaemonArguments, program, run_daemon};

fn main() -> ExitCode {
    program::main(|| run_daemon(DaemonArguments::parse()))
}
