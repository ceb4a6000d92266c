//! What `qstat` says of canary jobs, and why one waits.

use std::fmt;

use landbridge_pki::NodeName;
use serde::Deserialize;

use super::CANARY_QUEUE;
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

/// A job that has not ended, in the queue's words.
#[derive(Debug)]
pub(super) struct Standing {
    job: Job,
    /// Why it could not be started. It is not tried again on that worker by itself.
    errors: Vec<String>,
    /// Why it is not placed yet.
    reasons: Vec<String>,
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

/// How the canary of this name stands; `None` when the queue knows no such job.
pub(super) async fn standing(
    commands: &Commands,
    worker: &NodeName,
    name: &str,
) -> Result<Option<Standing>, SchedulerError> {
    let Some(job) = canaries(commands, name).await?.into_iter().next() else { return Ok(None) };
    let id = job.id.to_string();
    let argv = vec!["qstat", "-j", &id];
    let operation = "asking why the canary waits";
    let said = commands.ask(Request { operation, object: name, argv, settled: &["do not exist"] }).await?;
    Ok(Some(Standing { errors: errors(&said), reasons: reasons(&said, worker), job }))
}

impl Standing {
    /// Whether it was tried, failed to start, and waits for a person.
    pub(super) fn failed(&self) -> bool {
        !self.errors.is_empty() || self.job.state.contains('E')
    }

    /// Whether it was given to the worker, and nothing was heard of it yet.
    pub(super) fn is_on_its_way(&self) -> bool {
        self.job.state == "t"
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.job.state.as_str() {
            _ if self.failed() => "could not be started",
            "r" => "started but has not ended",
            "t" => "is still being sent to the worker",
            _ => "still waits",
        };
        write!(f, "job {} {state}", self.job.id)?;
        let why = if self.failed() { &self.errors } else { &self.reasons };
        if why.is_empty() { Ok(()) } else { write!(f, ": {}", why.join("; ")) }
    }
}

fn read(xml: &str) -> Result<Vec<Job>, quick_xml::DeError> {
    let answer: Answer = quick_xml::de::from_str(xml)?;
    Ok(answer.queue_info.jobs.into_iter().chain(answer.job_info.jobs).collect())
}

/// The values of the lines `error reason N: …` in the text of `qstat -j`.
fn errors(text: &str) -> Vec<String> {
    let labelled = text.lines().filter_map(|line| line.split_once(':'));
    labelled.filter(|(label, _)| label.starts_with("error reason")).map(|(_, why)| why.trim().into()).collect()
}

/// The scheduler's messages that concern this worker's canary queue; those of other queue instances say nothing.
fn reasons(text: &str, worker: &NodeName) -> Vec<String> {
    let ours = format!("\"{CANARY_QUEUE}@{worker}\"");
    let messages = text.lines().skip_while(|line| !line.starts_with("scheduling info:"));
    let messages = messages.map(|line| line.trim_start_matches("scheduling info:").trim());
    messages.filter(|message| message.contains(&ours)).map(String::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(name: &str, text: &str) -> Standing {
        let jobs = read(include_str!("golden/qstat-nobody.xml")).expect("what qstat said");
        let job = jobs.into_iter().find(|job| job.name == name).expect("a canary");
        let worker = NodeName::new(name.trim_start_matches("canary-")).expect("a node name");
        Standing { errors: errors(text), reasons: reasons(text, &worker), job }
    }

    #[test]
    fn a_canary_that_waits_tells_its_own_reason_alone() {
        let waiting = standing("canary-w2", include_str!("golden/qstat-j-waiting.txt"));
        assert!(!waiting.failed());
        insta::assert_snapshot!(waiting, @r#"job 3 still waits: queue instance "canary.q@w2" dropped because it is temporarily not available"#);
    }

    #[test]
    fn a_canary_that_could_not_be_started_has_failed_although_it_waits() {
        let failed = standing("canary-w3", include_str!("golden/qstat-j-error.txt"));
        assert!(failed.failed());
        insta::assert_snapshot!(failed, @"job 4 could not be started: can't make tmpdir");
    }

    #[test]
    fn a_canary_that_runs_has_no_reason() {
        insta::assert_snapshot!(standing("canary-w1", ""), @"job 5 started but has not ended");
    }

    #[test]
    fn no_jobs_is_no_error() {
        let none = "<?xml version='1.0'?>\n<job_info><queue_info>\n</queue_info><job_info>\n</job_info></job_info>";
        assert!(read(none).expect("well-formed").is_empty());
    }
}
