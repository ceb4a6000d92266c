//! `landbridge pki`.

use std::process::ExitCode;

use clap::Subcommand;
use jiff::{Span, Timestamp, Zoned};
use landbridge_pki::NodeName;
use landbridge_pki::authority::{Breakage, RotationStatus};

use super::client::Client;
use super::render::{self, Output};
use super::{CliError, Context, Listed, Style, check};
use crate::daemon::{Changed, PkiView, RevokeRequest, RotateRequest};
use crate::frontend;

#[derive(Subcommand, Debug)]
pub(super) enum Pki {
    /// Every certificate, and how the authority stands.
    Show(Listed),
    /// Lock a machine out: its certificates are revoked and its tunnel is cut, within a second.
    Revoke {
        /// The worker's or host's name.
        name: NodeName,
    },
    /// Replace the authority, with an overlap: begin, wait until every node has renewed, finish.
    Rotate(Rotate),
    /// What will have broken by a day if nobody does anything, and when it starts.
    Check {
        /// The day: 2027-01-31, or from now: +1y, +90d.
        #[arg(long, value_name = "WHEN", default_value = "+30d", allow_hyphen_values = true, value_parser = moment)]
        at: Timestamp,
        #[command(flatten)]
        output: Listed,
    },
    /// Make the keys that are missing; `up` does it.
    #[command(hide = true)]
    Init,
}

#[derive(clap::Args, Debug)]
pub(super) struct Rotate {
    /// End the overlap: only the new authority is trusted.
    #[arg(long)]
    finish: bool,
    /// With --finish: even if machines are locked out that have not renewed.
    #[arg(long, requires = "finish")]
    force: bool,
}

/// A day, or a span from now.
fn moment(text: &str) -> Result<Timestamp, String> {
    let now = Zoned::now();
    let bad = |e: jiff::Error| format!("{text:?} is neither a day (2027-01-31) nor a span from now (+1y): {e}");
    if let Some(span) = text.strip_prefix('+') {
        return Ok(now.checked_add(span.parse::<Span>().map_err(bad)?).map_err(bad)?.timestamp());
    }
    let day: jiff::civil::DateTime = text.parse().map_err(bad)?;
    Ok(day.to_zoned(now.time_zone().clone()).map_err(bad)?.timestamp())
}

pub(super) fn run(context: &Context, pki: Pki) -> Result<ExitCode, CliError> {
    match pki {
        Pki::Init => return init(context),
        Pki::Show(output) => {
            let view: PkiView = Client::new(context)?.get("/v1/pki")?;
            match output.output {
                Output::Json => print!("{}", render::json(&view)),
                Output::Table => print!("{}", render::certificates(&view, Style::of(&std::io::stdout()))),
            }
        }
        Pki::Revoke { name } => {
            let request = RevokeRequest { name: name.clone() };
            let changed: Changed = Client::new(context)?.post("/v1/pki/revoke", &request)?;
            println!("{name} {}", if changed.changed { "is locked out" } else { "was locked out already" });
        }
        Pki::Rotate(rotate) => {
            let request = match (rotate.finish, rotate.force) {
                (false, _) => RotateRequest::Begin,
                (true, false) => RotateRequest::Finish,
                (true, true) => RotateRequest::FinishAnyhow,
            };
            let status: RotationStatus = Client::new(context)?.post("/v1/pki/rotate", &request)?;
            print!("{}", render::authority(&status));
        }
        Pki::Check { at, output } => {
            let breakages: Vec<Breakage> = Client::new(context)?.get(&format!("/v1/pki/check?at={at}"))?;
            match output.output {
                Output::Json => print!("{}", render::json(&breakages)),
                Output::Table => print!("{}", render::breakages(&breakages, at)),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn init(context: &Context) -> Result<ExitCode, CliError> {
    let cluster = check::load(context)?;
    frontend::make_directories(&context.paths)?;
    frontend::ensure_keys(&cluster, &context.paths, Timestamp::now())?;
    Ok(ExitCode::SUCCESS)
}
