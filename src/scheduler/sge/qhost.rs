//! What `qhost -xml` says of one worker.

use std::collections::{BTreeMap, BTreeSet};

use landbridge_pki::NodeName;
use serde::Deserialize;

use super::CANARY_QUEUE;
use super::command::{Commands, Request};
use crate::scheduler::SchedulerError;

#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default, rename = "host")]
    hosts: Vec<Host>,
}

/// An execution host.
#[derive(Debug, Deserialize)]
pub(super) struct Host {
    #[serde(rename = "@name")]
    name: String,
    #[serde(default, rename = "hostvalue")]
    values: Vec<Value>,
    #[serde(default, rename = "job")]
    jobs: Vec<Job>,
}

#[derive(Debug, Deserialize)]
struct Job {
    #[serde(rename = "@name")]
    id: String,
    #[serde(default, rename = "jobvalue")]
    values: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct Value {
    #[serde(rename = "@name")]
    name: String,
    #[serde(default, rename = "$text")]
    text: String,
}

/// Asks for one worker; `None` when the queue doesn't know it.
pub(super) async fn ask(commands: &Commands, worker: &NodeName) -> Result<Option<Host>, SchedulerError> {
    let one = ["qhost", "-xml", "-j", "-h", worker.as_str()];
    let said = match told(commands, worker, &one).await {
        // The name of a worker that leaves may be gone already: look through all.
        Err(error) if error.seen.contains("can't resolve hostname") => told(commands, worker, &one[..3]).await?,
        said => said?,
    };
    let hosts = read(&said).map_err(|error| failed(worker, error.to_string()))?;
    Ok(hosts.into_iter().find(|host| host.name == worker.as_str()))
}

/// Every host that reports now.
pub(super) async fn present(commands: &Commands) -> Result<BTreeSet<NodeName>, SchedulerError> {
    let hosts = all(commands, "asking who reports", vec!["qhost", "-xml"]).await?;
    Ok(hosts.into_iter().filter(Host::reports).filter_map(|host| NodeName::new(&host.name).ok()).collect())
}

/// How many jobs of people's run on each host.
pub(super) async fn jobs(commands: &Commands) -> Result<BTreeMap<NodeName, u32>, SchedulerError> {
    let hosts = all(commands, "counting the jobs", vec!["qhost", "-xml", "-j"]).await?;
    Ok(hosts.into_iter().filter_map(|host| Some((NodeName::new(&host.name).ok()?, host.running()))).collect())
}

async fn all(commands: &Commands, operation: &'static str, argv: Vec<&str>) -> Result<Vec<Host>, SchedulerError> {
    let object = "the queue";
    let said = commands.ask(Request { operation, object, argv, settled: &[] }).await?;
    read(&said).map_err(|error| SchedulerError { operation, object: object.into(), seen: error.to_string() })
}

const OPERATION: &str = "asking for the execution host";

async fn told(commands: &Commands, worker: &NodeName, argv: &[&str]) -> Result<String, SchedulerError> {
    let (object, argv) = (worker.as_str(), argv.to_vec());
    commands.ask(Request { operation: OPERATION, object, argv, settled: &[] }).await
}

fn failed(worker: &NodeName, seen: String) -> SchedulerError {
    SchedulerError { operation: OPERATION, object: worker.to_string(), seen }
}

fn read(xml: &str) -> Result<Vec<Host>, quick_xml::DeError> {
    quick_xml::de::from_str::<Answer>(xml).map(|answer| answer.hosts)
}

impl Host {
    /// Whether its execution daemon reports: its load is known. What doesn't change (its architecture) the queue master
    /// remembers from before its own restart.
    fn reports(&self) -> bool {
        text(&self.values, "load_avg").is_some_and(|load| load != "-")
    }

    /// The jobs that run here, as `qdel` takes them: `JOB`, or `JOB.TASK` for one of an array. A parallel job with
    /// several ranks here is one.
    pub(super) fn jobs(&self) -> BTreeSet<String> {
        self.jobs.iter().map(Job::name).collect()
    }

    /// How many of them are people's.
    pub(super) fn running(&self) -> u32 {
        let canary = |job: &&Job| text(&job.values, "queue_name").is_some_and(|queue| queue.starts_with(CANARY_QUEUE));
        let names: BTreeSet<String> = self.jobs.iter().filter(|job| !canary(job)).map(Job::name).collect();
        u32::try_from(names.len()).unwrap_or(u32::MAX)
    }
}

impl Job {
    fn name(&self) -> String {
        match text(&self.values, "taskid") {
            Some(task) if !task.is_empty() => format!("{}.{task}", self.id),
            _ => self.id.clone(),
        }
    }
}

fn text<'a>(values: &'a [Value], name: &str) -> Option<&'a str> {
    values.iter().find(|value| value.name == name).map(|value| value.text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden() -> Vec<Host> {
        read(include_str!("golden/qhost-j.xml")).expect("what qhost said")
    }

    fn of<T>(name: &str, question: impl Fn(&Host) -> T) -> T {
        question(golden().iter().find(|host| host.name == name).expect("a host"))
    }

    #[test]
    fn a_host_that_reports_is_told_from_one_that_does_not() {
        assert_eq!(["w1", "w2", "w3"].map(|name| of(name, Host::reports)), [true, false, true]);
    }

    #[test]
    fn every_task_of_an_array_is_a_job() {
        assert_eq!(of("w1", |host| host.jobs().into_iter().collect::<Vec<_>>()), ["1", "2.1", "2.2", "5"]);
        assert!(of("w3", Host::jobs).is_empty());
    }

    #[test]
    fn a_canary_is_nobodys_job() {
        assert_eq!(of("w1", Host::running), 3);
    }

    #[test]
    fn an_answer_without_hosts_is_no_error() {
        assert!(read("<?xml version='1.0'?>\n<qhost></qhost>").expect("well-formed").is_empty());
    }
}
