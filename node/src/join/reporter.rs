//! Tells the front-end each stage, beside the join: no stage waits for a report to arrive.

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::api::Client;
use crate::wire::StageReport;

/// How long the last reports are waited for.
const LAST: Duration = Duration::from_secs(3);
/// Before a report is sent again that did not arrive.
const PAUSE: Duration = Duration::from_millis(250);

/// Sends reports in the order in which they come.
#[derive(Debug)]
pub(super) struct Reporter {
    queue: UnboundedSender<Message>,
    task: JoinHandle<()>,
}

impl Reporter {
    /// Starts with a client of its own: another one may be waiting for orders.
    pub(super) fn start(client: Client) -> Self {
        let (queue, messages) = unbounded_channel();
        Self { queue, task: tokio::spawn(send(client, messages)) }
    }

    /// Adds a report.
    pub(super) fn report(&self, report: StageReport) {
        // The task ends only with us.
        let _ = self.queue.send(Message::Report(Box::new(report)));
    }

    /// From here on a better way to the front-end may be open: the vLAN.
    pub(super) fn take_best_way(&self) {
        let _ = self.queue.send(Message::HangUp);
    }

    /// Waits until the last report has arrived, or for a while.
    pub(super) async fn finish(self) {
        drop(self.queue);
        if timeout(LAST, self.task).await.is_err() {
            tracing::warn!("the last stages could not be reported to the front-end");
        }
    }
}

#[derive(Debug)]
enum Message {
    Report(Box<StageReport>),
    HangUp,
}

async fn send(client: Client, mut messages: UnboundedReceiver<Message>) {
    while let Some(message) = messages.recv().await {
        let Message::Report(report) = message else {
            client.hang_up().await;
            continue;
        };
        // A front-end that starts anew meanwhile still waits for each: it begins its own proof when it has heard of the last.
        while let Err(error) = client.stage(&report).await {
            tracing::warn!(stage = %report.stage, %error, "reporting a stage failed");
            if !error.is_passing() {
                break;
            }
            sleep(PAUSE).await;
        }
    }
}
