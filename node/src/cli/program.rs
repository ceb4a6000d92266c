//! The program's beginning. In the library, so that what it waits for is compiled there alone.

use std::io;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use super::{Args, Exit, run};

/// Carries out this process's command line, in one thread: everything here waits for the kernel, for programs and for the front-end.
#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Exit {
    let args = Args::parse();
    let level = if args.is_daemon() { "info" } else { "error" };
    let filter = EnvFilter::try_from_env("LANDBRIDGE_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(false).init();
    run(args).await
}
