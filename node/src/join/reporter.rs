//! Tells the front-end each stage, beside the join: no stage waits for a report to arrive.

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
    queue: UnboundedSender<Message>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
enum Message {
    Report(Box<StageReport>),
    Word(String),
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

    /// Adds what a canary job has left here.
    pub(super) fn carry(&self, word: String) {
        let _ = self.queue.send(Message::Word(word));
    }

    /// Waits until the last report has arrived, or for a while.
    pub(super) async fn finish(self) {
        drop(self.queue);
        if timeout(LAST, self.task).await.is_err() {
            tracing::warn!("the last stages could not be reported to the front-end");
        }
    }
}

async fn send(client: Client, mut messages: UnboundedReceiver<Message>) {
    let mut some = Vec::new();
    while messages.recv_many(&mut some, usize::MAX).await > 0 {
        let news = news(some.drain(..));
        // A front-end that starts anew meanwhile still waits for each: it begins its own proof when it has heard of the last.
        while let Err(error) = client.stages(&news).await {
            tracing::warn!(%error, "reporting stages failed");
            if !error.is_passing() {
                break;
            }
            sleep(PAUSE).await;
        }
    }
}

fn news(messages: impl Iterator<Item = Message>) -> StageNews {
    messages.fold(StageNews::default(), |mut news, message| {
        match message {
            Message::Report(report) => news.stages.push(*report),
            Message::Word(word) => news.word = Some(word),
        }
        news
    })
}
