//! `landbridge-node`: joins a machine to a Landbridge cluster and keeps it there.

use std::io;

use clap::Parser as _;
use landbridge_node::cli::{self, Args, Exit};
use tracing_subscriber::EnvFilter;

/// One thread: everything here waits for the kernel, for programs and for the front-end.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let args = Args::parse();
    let level = if args.is_daemon() { "info" } else { "error" };
    let filter = EnvFilter::try_from_env("LANDBRIDGE_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(false).init();
    cli::run(args).await
}
