//! `landbridge daemon`, which `up` starts.

use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use super::{CliError, Context, check};
use crate::daemon;

/// A cloud's SDK tells whose credentials it found: that is nobody else's business.
const LOGGED: &str = "info,aws_config=warn,aws_credential_types=warn,aws_runtime=warn,aws_smithy_runtime=warn";

pub(super) fn run(context: &Context) -> Result<ExitCode, CliError> {
    landbridge_node::machine::crash::heed_daemon();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_target(false).init();
    let cluster = check::load(context)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(daemon::run(cluster, &context.file, context.paths.clone()))?;
    Ok(ExitCode::SUCCESS)
}
