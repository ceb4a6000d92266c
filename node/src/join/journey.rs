//! The stages one after another: timed, bounded, shown, reported, kept.

use std::cell::{OnceCell, RefCell};
use std::time::Duration;

use tokio::time::Instant;

use super::progress::Progress;
use super::reporter::Reporter;
use super::stages::deadline;
use crate::state::Timeline;
use crate::wire::{Failure, Outcome, Stage, StageReport};

/// A join that is under way.
#[derive(Debug)]
pub(super) struct Journey {
    start: Instant,
    until: Instant,
    progress: RefCell<Progress>,
    timeline: RefCell<Timeline>,
    reporter: OnceCell<Reporter>,
}

/// A stage that failed, and with it the join.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{stage}: {failure}")]
pub struct StageFailed {
    /// Which.
    pub stage: Stage,
    /// In words.
    pub failure: Failure,
}

impl Journey {
    /// Starts the clock; the whole journey ends by `limit`.
    pub(super) fn new(progress: Progress, limit: Duration) -> Self {
        let start = Instant::now();
        Self {
            start,
            until: start + limit,
            progress: progress.into(),
            timeline: RefCell::default(),
            reporter: OnceCell::new(),
        }
    }

    /// From now on stages are reported, to the first who is given here; those before now at once.
    pub(super) fn report_to(&self, reporter: Reporter) {
        for report in &self.timeline.borrow().stages {
            reporter.report(report.clone());
        }
        let _ = self.reporter.set(reporter);
    }

    /// Runs a stage, perhaps beside others. `work` gets the moment by which it must be done.
    pub(super) async fn stage<T>(
        &self,
        stage: Stage,
        work: impl AsyncFnOnce(Instant) -> Result<T, Failure>,
    ) -> Result<T, StageFailed> {
        let begin = Instant::now();
        self.progress.borrow_mut().begins(stage);
        let result = work(self.until.min(begin + deadline(stage))).await;
        let outcome = match &result {
            Ok(_) => Outcome::Passed,
            Err(failure) => Outcome::Failed(failure.clone()),
        };
        self.record(stage, begin, outcome);
        result.map_err(|failure| StageFailed { stage, failure })
    }

    /// These stages will run side by side; they are shown in this order.
    pub(super) fn line_up(&self, stages: &[Stage]) {
        for stage in stages {
            self.progress.borrow_mut().begins(*stage);
        }
    }

    /// A stage that the cluster doesn't need.
    pub(super) fn not_needed(&self, stage: Stage) {
        self.record(stage, Instant::now(), Outcome::NotNeeded);
    }

    /// Something to say between the stages.
    pub(super) fn remark(&self, text: &str) {
        self.progress.borrow().remark(text);
    }

    /// Since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Ends the journey: the last reports are on their way to arrive, and the timeline is given out in the stages' order.
    pub(super) async fn finish(self) -> Timeline {
        if let Some(reporter) = self.reporter.into_inner() {
            reporter.finish().await;
        }
        let mut timeline = self.timeline.into_inner();
        timeline.stages.sort_by_key(|report| report.stage);
        timeline
    }

    fn record(&self, stage: Stage, begin: Instant, outcome: Outcome) {
        let report =
            StageReport { stage, outcome, started_ms: millis(begin - self.start), took_ms: millis(begin.elapsed()) };
        self.progress.borrow_mut().ended(&report);
        if let Some(reporter) = self.reporter.get() {
            reporter.report(report.clone());
        }
        self.timeline.borrow_mut().stages.push(report);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
