//! `landbridge audit`.

use std::process::ExitCode;

use super::client::Client;
use super::render::{self, Output};
use super::{CliError, Context, Listed};
use crate::daemon::AuditReport;

#[derive(clap::Args, Debug)]
pub(super) struct Audit {
    #[command(flatten)]
    output: Listed,
}

/// The exit status when something is left over.
const FINDINGS: u8 = 2;

pub(super) fn run(context: &Context, audit: &Audit) -> Result<ExitCode, CliError> {
    let report: AuditReport = Client::new(context)?.get("/v1/audit")?;
    match audit.output.output {
        Output::Json => print!("{}", render::json(&report)),
        Output::Table if report.findings.is_empty() => println!("nothing is left over"),
        Output::Table => {
            for finding in &report.findings {
                println!("{:<12} {:<16} {}", finding.place, finding.name, finding.what);
            }
        }
    }
    Ok(if report.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
}
