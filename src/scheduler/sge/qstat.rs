//! What `qstat` says of canary jobs, and why one waits.

use landbridge_pki::NodeName;
use serde::Deserialize;

use super::command::{Commands, Request};
use super::configuration::CANARY_USER;
use crate::scheduler::SchedulerError;

/// The document: running jobs in one list, waiting ones in another.
#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    queue_info: List,
    #[serde(default)]
    job_info: List,
}

#[derive(Debug, Default, Deserialize)]
struct List {
    #[serde(default, rename = "job_list")]
    jobs: Vec<Job>,
}

/// A job.
#[derive(Debug, Deserialize)]
pub(super) struct Job {
    /// Its number.
    #[serde(rename = "JB_job_number")]
    pub(super) id: u64,
    #[serde(rename = "JB_name")]
    name: String,
    /// `qw`, `t`, `r`, `Eqw` …
    state: String,
}

impl Job {
    /// Whether it was tried, failed to start, and waits for a person.
    pub(super) fn in_error(&self) -> bool {
        self.state.contains('E')
    }
}

/// The canary jobs of this name.
pub(super) async fn canaries(commands: &Commands, name: &str) -> Result<Vec<Job>, SchedulerError> {
    let argv = vec!["qstat", "-xml", "-u", CANARY_USER];
    let operation = "listing the canary jobs";
    let said = commands.ask(Request { operation, object: name, argv, settled: &[] }).await?;
    let jobs =
        read(&said).map_err(|error| SchedulerError { operation, object: name.into(), seen: error.to_string() })?;
    Ok(jobs.into_iter().filter(|job| job.name == name).collect())
}

/// Why the canary of this name has not ended, in the queue's words.
pub(super) async fn waiting(commands: &Commands, worker: &NodeName, name: &str) -> Result<String, SchedulerError> {
    let Some(job) = canaries(commands, name).await?.into_iter().next() else {
        return Ok("the queue knows no such job any more".into());
    };
    let id = job.id.to_string();
    let argv = vec!["qstat", "-j", &id];
    let settled = &["do not exist"];
    let operation = "asking why the canary waits";
    let said = commands.ask(Request { operation, object: name, argv, settled }).await?;
    let why = why(&said, worker);
    let why = if why.is_empty() { "the queue gives no reason".into() } else { why.join("; ") };
    Ok(format!("job {id} is in state {}: {why}", job.state))
}

fn read(xml: &str) -> Result<Vec<Job>, quick_xml::DeError> {
    let answer: Answer = quick_xml::de::from_str(xml)?;
    Ok(answer.queue_info.jobs.into_iter().chain(answer.job_info.jobs).collect())
}

/// The reasons in the text of `qstat -j`: errors, and of the scheduler's messages those that concern the worker.
fn why(text: &str, worker: &NodeName) -> Vec<String> {
    let reasons = text.lines().filter_map(|line| {
        let (label, reason) = line.split_once(':')?;
        match label.trim() {
            label if label.starts_with("error reason") => Some((true, reason.trim())),
            "scheduling info" => Some((false, reason.trim())),
            _ if line.starts_with(' ') => Some((false, line.trim())),
            _ => None,
        }
    });
    let ours = |(error, reason): &(bool, &str)| *error || mentions(reason, worker) || !reason.contains('@');
    reasons.filter(ours).map(|(_, reason)| reason.to_owned()).filter(|reason| !reason.is_empty()).collect()
}

fn mentions(reason: &str, worker: &NodeName) -> bool {
    reason.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').any(|word| word == worker.as_str())
}
