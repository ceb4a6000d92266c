//! How long workers take from being asked for until they are ready.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The deploy figures: every worker that ever had a machine of ours, and what they have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployView {
    /// By host and kind, in the order of the first worker of each.
    pub summary: Vec<DeploySummary>,
    /// Every worker, gone ones included, by id.
    pub workers: Vec<WorkerDeploy>,
}

/// A worker's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerDeploy {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its host.
    pub host: String,
    /// What made its machine: `libvirt`, `driver`, or a cloud's instance type.
    pub kind: String,
    /// When it was asked for.
    pub asked: Timestamp,
    /// How often a machine was begun for it.
    pub attempts: u32,
    /// What took how long, in order; what it never came to is missing.
    pub steps: Vec<DeployStep>,
    /// From being asked for until it was ready, in milliseconds.
    pub ready_ms: Option<u64>,
}

/// A step of a worker's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployStep {
    /// `prepare` (the front-end), `accept` (the provider), `start` (the machine runs), `boot` (it calls), the stages of the join,
    /// `prove` (the front-end's side).
    pub step: String,
    /// In milliseconds.
    pub took_ms: u64,
}

/// What the workers of a host and kind have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploySummary {
    /// The host.
    pub host: String,
    /// See [`WorkerDeploy::kind`].
    pub kind: String,
    /// How many workers were asked for there.
    pub asked: u32,
    /// How many of them became ready.
    pub ready: u32,
    /// Each step, of the workers that became ready.
    pub steps: Vec<StepFigures>,
}

/// A step's figures in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepFigures {
    /// The step; `ready` is all of them together.
    pub step: String,
    /// The quickest.
    pub min_ms: u64,
    /// As many were quicker as slower.
    pub median_ms: u64,
    /// The slowest.
    pub max_ms: u64,
}

impl DeployView {
    /// Takes the workers together.
    pub fn of(workers: Vec<WorkerDeploy>) -> Self {
        let mut kinds: Vec<(&str, &str)> = Vec::new();
        for worker in &workers {
            let kind = (worker.host.as_str(), worker.kind.as_str());
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        let summary = kinds.into_iter().map(|kind| summarise(kind, &workers)).collect();
        Self { summary, workers }
    }
}

fn summarise((host, kind): (&str, &str), workers: &[WorkerDeploy]) -> DeploySummary {
    let mine: Vec<&WorkerDeploy> = workers.iter().filter(|w| w.host == host && w.kind == kind).collect();
    let ready: Vec<&&WorkerDeploy> = mine.iter().filter(|worker| worker.ready_ms.is_some()).collect();
    let mut names: Vec<&str> = Vec::new();
    for step in ready.iter().flat_map(|worker| &worker.steps) {
        if !names.contains(&step.step.as_str()) {
            names.push(&step.step);
        }
    }
    let took = |name: &str| {
        let steps = ready.iter().flat_map(|worker| &worker.steps);
        steps.filter(|step| step.step == name).map(|step| step.took_ms).collect()
    };
    let whole = figures("ready", ready.iter().filter_map(|worker| worker.ready_ms).collect());
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    DeploySummary {
        host: host.into(),
        kind: kind.into(),
        asked: count(mine.len()),
        ready: count(ready.len()),
        steps: names.iter().filter_map(|name| figures(name, took(name))).chain(whole).collect(),
    }
}

fn figures(step: &str, mut took: Vec<u64>) -> Option<StepFigures> {
    took.sort_unstable();
    let (min_ms, max_ms) = (*took.first()?, *took.last()?);
    let upper = took[took.len() / 2];
    let median_ms = if took.len().is_multiple_of(2) { u64::midpoint(took[took.len() / 2 - 1], upper) } else { upper };
    Some(StepFigures { step: step.into(), min_ms, median_ms, max_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(id: u64, host: &str, boot: u64, ready: Option<u64>) -> WorkerDeploy {
        WorkerDeploy {
            id,
            name: format!("w{id}"),
            host: host.into(),
            kind: "libvirt".into(),
            asked: Timestamp::UNIX_EPOCH,
            attempts: 1,
            steps: vec![DeployStep { step: "boot".into(), took_ms: boot }],
            ready_ms: ready,
        }
    }

    #[test]
    fn figures_are_told_by_host_and_only_of_those_that_became_ready() {
        let workers = vec![
            worker(1, "ursa01", 10, Some(100)),
            worker(2, "ursa02", 5, None),
            worker(3, "ursa01", 20, Some(400)),
            worker(4, "ursa01", 90, Some(300)),
            worker(5, "ursa01", 900, None),
        ];
        let view = DeployView::of(workers);
        let [first, second] = view.summary.as_slice() else { panic!("{view:?}") };
        assert_eq!((first.host.as_str(), first.asked, first.ready), ("ursa01", 4, 3));
        let told: Vec<_> = first.steps.iter().map(|s| (s.step.as_str(), s.min_ms, s.median_ms, s.max_ms)).collect();
        assert_eq!(told, [("boot", 10, 20, 90), ("ready", 100, 300, 400)]);
        assert_eq!((second.asked, second.ready, second.steps.len()), (1, 0, 0));
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_two() {
        assert_eq!(figures("x", vec![4, 1, 2, 8]).map(|f| f.median_ms), Some(3));
    }
}
