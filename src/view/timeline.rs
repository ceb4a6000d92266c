//! How a join went.

use std::time::Duration;

use jiff::Timestamp;
use landbridge_node::wire::{Failure, Outcome, Stage, StageReport};
use serde::{Deserialize, Serialize};

/// The stages of a worker's last join, as the worker timed them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineView {
    /// When the join started, by the front-end's clock.
    pub started: Timestamp,
    /// The stages that have ended, in order.
    pub stages: Vec<StageReport>,
    /// The stage that is under way.
    pub running: Option<Stage>,
}

impl TimelineView {
    /// From the start to the end of the last stage that has ended.
    pub fn total(&self) -> Duration {
        let ends = self.stages.iter().map(|stage| stage.started_ms.saturating_add(stage.took_ms));
        Duration::from_millis(ends.max().unwrap_or(0))
    }

    /// The first stage that failed.
    pub fn failed(&self) -> Option<(Stage, &Failure)> {
        self.stages.iter().find_map(|report| match &report.outcome {
            Outcome::Failed(failure) => Some((report.stage, failure)),
            Outcome::Passed | Outcome::NotNeeded => None,
        })
    }
}
