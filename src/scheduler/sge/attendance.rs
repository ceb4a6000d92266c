//! Who reports to the queue master: asked for by everybody who waits for a worker, answered once for all of them.

use std::collections::BTreeSet;
use std::time::Instant;

use landbridge_pki::NodeName;
use tokio::sync::Mutex;

use super::command::Commands;
use super::qhost;
use crate::scheduler::SchedulerError;

/// The last answer.
#[derive(Debug, Default)]
pub(super) struct Attendance(Mutex<Option<Answer>>);

#[derive(Debug)]
struct Answer {
    /// When it was asked for.
    asked: Instant,
    present: BTreeSet<NodeName>,
}

impl Attendance {
    /// Whether the worker's execution daemon reports. One program at a time asks, for all who came before it was started.
    pub(super) async fn has(&self, commands: &Commands, worker: &NodeName) -> Result<bool, SchedulerError> {
        let came = Instant::now();
        let mut last = self.0.lock().await;
        if let Some(answer) = last.as_ref().filter(|answer| answer.asked >= came) {
            return Ok(answer.present.contains(worker));
        }
        let asked = Instant::now();
        let present = qhost::present(commands).await?;
        let is_present = present.contains(worker);
        *last = Some(Answer { asked, present });
        Ok(is_present)
    }
}
