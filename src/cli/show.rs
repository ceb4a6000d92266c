//! `landbridge status` and `landbridge topology`: the whole at a glance.

use std::process::ExitCode;

use super::client::Client;
use super::render::{self, Output};
use super::{CliError, Context, Listed, Style};
use crate::topology;
use crate::view::ClusterView;

#[derive(clap::Args, Debug)]
pub(super) struct Status {
    #[command(flatten)]
    output: Listed,
}

#[derive(clap::Args, Debug)]
pub(super) struct Topology {
    /// As text for the terminal, or as a picture.
    #[arg(long, value_enum, default_value_t = Drawing::Text, value_name = "FORMAT")]
    output: Drawing,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Drawing {
    /// Boxes and lines.
    Text,
    /// A picture for a browser or a paper.
    Svg,
    /// What the pictures are made from.
    Json,
}

/// The exit status when something wants attention.
const UNHEALTHY: u8 = 2;

pub(super) fn status(context: &Context, status: &Status) -> Result<ExitCode, CliError> {
    let view = look(context)?;
    match status.output.output {
        Output::Json => print!("{}", render::json(&view)),
        Output::Table => print!("{}", render::status(&view, Style::of(&std::io::stdout()))),
    }
    Ok(if render::is_healthy(&view) { ExitCode::SUCCESS } else { ExitCode::from(UNHEALTHY) })
}

pub(super) fn topology(context: &Context, topology: &Topology) -> Result<ExitCode, CliError> {
    let view = look(context)?;
    match topology.output {
        Drawing::Text => print!("{}", render::topology(&view, Style::of(&std::io::stdout()))),
        Drawing::Svg => print!("{}", topology::svg(&topology::Topology::of(&view))),
        Drawing::Json => print!("{}", render::json(&view)),
    }
    Ok(ExitCode::SUCCESS)
}

fn look(context: &Context) -> Result<ClusterView, CliError> {
    Client::new(context)?.get("/v1/status")
}
