//! `landbridge report`.

use std::process::ExitCode;

use clap::Subcommand;

use super::client::Client;
use super::render::{self, Output};
use super::{CliError, Context, Listed, Style};
use crate::view::DeployView;

#[derive(Subcommand, Debug)]
pub(super) enum Report {
    /// How long workers took from being asked for until they were ready: minimum, median and maximum by host and kind.
    Deploy(Listed),
}

pub(super) fn run(context: &Context, report: &Report) -> Result<ExitCode, CliError> {
    let Report::Deploy(listed) = report;
    let view: DeployView = Client::new(context)?.get("/v1/report/deploy")?;
    match listed.output {
        Output::Json => print!("{}", render::json(&view)),
        Output::Table => print!("{}", render::deploys(&view, Style::of(&std::io::stdout()))),
    }
    Ok(ExitCode::SUCCESS)
}
