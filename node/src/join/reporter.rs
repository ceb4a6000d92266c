//! Tells the front-end each stage, beside the join: no stage waits for a report to arrive.

use std::mem;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::api::Client;
use crate::wire::{StageNews, StageReport};

/// How long the last reports are waited for.
const LAST: Duration = Duration::from_secs(3);
/// Before a report is sent again that did not arrive.
const PAUSE: Duration = Duration::from_millis(250);

/// Sends reports in the order in which they come; those that came while others were on their way go together.
#[derive(Debug)]
pub(super) struct Reporter {
    queue: UnboundedSender<StageReport>,
    task: JoinHandle<()>,
}

impl Reporter {
    /// Starts with a client of its own: another one may be waiting for orders.
    pub(super) fn start(client: Client) -> Self {
        let (queue, reports) = unbounded_channel();
        Self { queue, task: tokio::spawn(send(client, reports)) }
    }

    /// Adds a report.
    pub(super) fn report(&self, report: StageReport) {
        // The task ends only with us.
        let _ = self.queue.send(report);
    }

    /// Waits until the last report has arrived, or for a while.
    pub(super) async fn finish(self) {
        drop(self.queue);
        if timeout(LAST, self.task).await.is_err() {
            tracing::warn!("the last stages could not be reported to the front-end");
        }
    }
}

async fn send(client: Client, mut reports: UnboundedReceiver<StageReport>) {
    let mut stages = Vec::new();
    while reports.recv_many(&mut stages, usize::MAX).await > 0 {
        deliver(&client, &StageNews { stages: mem::take(&mut stages), word: None }).await;
    }
}

/// Until the front-end has it, or refuses it. One that starts anew meanwhile still waits for each: it begins its own proof when it has
/// heard of the last.
pub(super) async fn deliver(client: &Client, news: &StageNews) {
    while let Err(error) = client.stages(news).await {
        tracing::warn!(%error, "reporting to the front-end failed");
        if !error.is_passing() {
            break;
        }
        sleep(PAUSE).await;
    }
}
