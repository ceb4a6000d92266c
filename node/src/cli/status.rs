//! `status`: who this machine is, and how its join went. Changes nothing and needs no lock.

use jiff::Timestamp;
use serde::Serialize;

use super::args::Output;
use super::exit::{Exit, Problem};
use crate::join::progress;
use crate::paths::Paths;
use crate::state::State;
use crate::wire::{Outcome, StageReport, Via};

/// What `status` shows.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Status {
    name: String,
    cluster: String,
    role: String,
    address: Option<String>,
    via: Option<Via>,
    certificate_until: Timestamp,
    agent: Option<i32>,
    ready: bool,
    stages: Vec<StageReport>,
}

pub(super) fn print(paths: &Paths, output: Output) -> Result<Exit, Problem> {
    let mut found = Vec::new();
    for paths in [paths.clone(), paths.host()] {
        if paths.state.is_dir() {
            found.extend(look(&State::open(paths)?)?);
        }
    }
    match output {
        Output::Json => println!("{}", serde_json::to_string_pretty(&found).expect("a status is JSON")),
        Output::Text if found.is_empty() => println!("this machine belongs to no cluster"),
        Output::Text => found.iter().for_each(|status| print!("{}", text(status))),
    }
    Ok(Exit::Done)
}

fn look(state: &State) -> Result<Option<Status>, Problem> {
    let Some(member) = state.member()? else { return Ok(None) };
    let stages = state.timeline()?.unwrap_or_default().stages;
    Ok(Some(Status {
        name: member.facts.name.to_string(),
        cluster: member.identity.cluster,
        role: member.facts.role.to_string(),
        address: state.bundle()?.map(|bundle| bundle.address.to_string()),
        via: state.attachment()?.map(|attachment| attachment.via),
        certificate_until: member.facts.not_after,
        agent: state.agent(),
        ready: stages.len() == crate::wire::Stage::ALL.len()
            && stages.iter().all(|stage| !matches!(stage.outcome, Outcome::Failed(_))),
        stages,
    }))
}

fn text(status: &Status) -> String {
    let address = status.address.as_deref().map(|a| format!(", {a}")).unwrap_or_default();
    let agent = match status.agent {
        Some(pid) => format!("process {pid}"),
        None => "not running (landbridge-node join starts it)".into(),
    };
    let head = format!(
        "{} ({}) of {}{address}\nagent        {agent}\ncertificate  until {}\n",
        status.name, status.role, status.cluster, status.certificate_until,
    );
    status.stages.iter().fold(head, |text, stage| text + &progress::lines(stage))
}
