//! `landbridged`, the front-end's daemon, which `landbridge up` starts.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use super::{CLUSTER_FILE, CliError, Context, check};
use crate::daemon;
use crate::paths::Paths;

/// A cloud's SDK tells whose credentials it found: that is nobody else's business.
const LOGGED: &str = "info,aws_config=warn,aws_credential_types=warn,aws_runtime=warn,aws_smithy_runtime=warn";

/// The daemon of Landbridge's front-end.
///
/// `landbridge up` starts it and `landbridge down` stops it. Tunnels, mounts and the queue go on without it.
#[derive(Parser, Debug)]
#[command(name = "landbridged", version, max_term_width = 100)]
pub struct DaemonArguments {
    /// The cluster's file.
    #[arg(long, short, value_name = "PATH", default_value = CLUSTER_FILE)]
    file: PathBuf,
}

/// Runs until SIGTERM or SIGINT.
pub fn run_daemon(arguments: DaemonArguments) -> Result<ExitCode, CliError> {
    landbridge_node::machine::crash::heed_daemon();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_target(false).init();
    let context = Context { file: arguments.file, paths: Paths::default() };
    let cluster = check::load(&context)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(daemon::run(cluster, &context.file, context.paths.clone()))?;
    Ok(ExitCode::SUCCESS)
}
