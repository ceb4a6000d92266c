//! `landbridge audit`.

use std::process::ExitCode;

use super::client::Client;
use super::render::{self, Output};
use super::{CliError, Context, Listed};
use crate::daemon::{AuditFinding, AuditReport, RepairReport};

#[derive(clap::Args, Debug)]
pub(super) struct Audit {
    /// Put right what can be: destroy and remove what is ours and nobody's, let workers go whose machine is gone.
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    output: Listed,
}

/// The exit status when something is left over.
const FINDINGS: u8 = 2;

pub(super) fn run(context: &Context, audit: &Audit) -> Result<ExitCode, CliError> {
    let client = Client::new(context)?;
    let findings = if audit.repair {
        let report: RepairReport = client.post("/v1/audit/repair", &())?;
        match audit.output.output {
            Output::Json => print!("{}", render::json(&report)),
            Output::Table => {
                for done in &report.done {
                    line(&done.place, &done.name, &done.what);
                }
                tell(&report.findings);
            }
        }
        report.findings
    } else {
        let report: AuditReport = client.get("/v1/audit")?;
        match audit.output.output {
            Output::Json => print!("{}", render::json(&report)),
            Output::Table => tell(&report.findings),
        }
        report.findings
    };
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
}

fn tell(findings: &[AuditFinding]) {
    if findings.is_empty() {
        println!("nothing is left over");
    }
    for finding in findings {
        line(&finding.place, &finding.name, &finding.what);
    }
}

fn line(place: &str, name: &str, what: &str) {
    println!("{place:<15} {name:<20} {what}");
}
