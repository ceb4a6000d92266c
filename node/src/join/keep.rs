//! Everything that a worker has, as it should be, as far as that is possible now.

use super::stages::{resources, whole_spec};
use super::worker::Worker;
use super::{link, queue};
use crate::machine::{ConvergeError, Machine};
use crate::wire::Stage;

/// What came of it.
#[derive(Debug, Default)]
pub struct Kept {
    /// A line for each change.
    pub done: Vec<String>,
    /// The stages whose resources are not as they should be.
    pub failed: Vec<(Stage, ConvergeError)>,
}

/// Sets up each stage's resources by themselves: one that fails (a queue master that is not there) takes back its own
/// steps and not the tunnel. When all is well, what no stage wants any more goes. Between two stages `goes_on` is asked:
/// services that don't answer take a deadline each, and whoever wants to end us should not wait for them all.
pub async fn keep(machine: &mut Machine, worker: &Worker, goes_on: impl Fn() -> bool) -> Kept {
    let mut kept = Kept::default();
    for stage in Stage::ALL {
        if !goes_on() {
            return kept;
        }
        let part = resources(stage, worker);
        if part.resources.is_empty() {
            continue;
        }
        match machine.extend(&part).await {
            Ok(report) => {
                if stage == Stage::Queue && !report.done.is_empty() {
                    queue::schedule_as_usual(machine.place());
                }
                kept.done.extend(report.done.into_iter().chain(report.notes));
            }
            Err(error) => kept.failed.push((stage, error)),
        }
        if stage == Stage::Link {
            link::favour_bbr(machine, worker);
        }
    }
    if kept.failed.is_empty() {
        match machine.converge(&whole_spec(worker)).await {
            Ok(report) => kept.done.extend(report.done.into_iter().chain(report.notes)),
            Err(error) => kept.failed.push((Stage::Canary, error)),
        }
    }
    kept
}
