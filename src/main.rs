//! `landbridge`: one private LAN, bridged from your racks into EC2.

use std::process::ExitCode;

use clap::Parser as _;
use landbridge::cli::{Arguments, program, run};

fn main() -> ExitCode {
    program::main(|| run(Arguments::parse()))
}
