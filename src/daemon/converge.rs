//! The front-end's machine follows the roster: one convergence at a time, for all who wait for one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::wish::Wish;
use crate::frontend::{self, Surroundings};
use crate::lifecycle::Follow;
use crate::paths::Paths;
use crate::spec::Cluster;
use crate::store::Store;
use crate::tunnel;

/// Drift that no event tells of is looked for this often.
const PATROL: Duration = Duration::from_secs(30);

/// Who waits for a convergence.
type Waiting = oneshot::Sender<Result<(), String>>;

/// The asking end.
struct Asker(mpsc::UnboundedSender<Waiting>);

impl Follow for Asker {
    fn follow(&self) -> std::pin::Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        let (waiting, answer) = oneshot::channel();
        let sent = self.0.send(waiting);
        Box::pin(async move {
            let stopped = || "the daemon is stopping".to_owned();
            sent.map_err(|_| stopped())?;
            answer.await.map_err(|_| stopped())?
        })
    }
}

/// How the last convergence went, for people.
#[derive(Debug)]
pub(super) struct Health {
    since: Timestamp,
    failure: Mutex<Option<String>>,
}

impl Health {
    fn new() -> Self {
        Self { since: Timestamp::now(), failure: Mutex::default() }
    }

    /// When the daemon started.
    pub(super) fn since(&self) -> Timestamp {
        self.since
    }

    /// Why the front-end is not as it should be; `None` when it is.
    pub(super) fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, outcome: &Result<(), String>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = outcome.clone().err();
    }
}

/// Starts the converging task.
pub(super) fn start(
    cluster: Arc<Cluster>,
    paths: Paths,
    around: Surroundings,
    store: Arc<dyn Store>,
    stop: CancellationToken,
) -> Started {
    let (asker, inbox) = mpsc::unbounded_channel();
    let health = Arc::new(Health::new());
    let wish = Wish::new(Arc::clone(&cluster), paths.clone());
    let keeper = Keeper { cluster, paths, around, store, wish, health: Arc::clone(&health), stop };
    Started { follow: Arc::new(Asker(asker)), health, task: tokio::spawn(keeper.keep(inbox)) }
}

/// A converging task.
pub(super) struct Started {
    pub(super) follow: Arc<dyn Follow>,
    pub(super) health: Arc<Health>,
    pub(super) task: JoinHandle<()>,
}

struct Keeper {
    cluster: Arc<Cluster>,
    paths: Paths,
    around: Surroundings,
    store: Arc<dyn Store>,
    wish: Wish,
    health: Arc<Health>,
    stop: CancellationToken,
}

impl Keeper {
    async fn keep(mut self, mut inbox: mpsc::UnboundedReceiver<Waiting>) {
        let mut patrol = tokio::time::interval(PATROL);
        patrol.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let mut waiting = Vec::new();
            tokio::select! {
                received = inbox.recv_many(&mut waiting, usize::MAX) => if received == 0 { return },
                _ = patrol.tick() => {}
                () = self.stop.cancelled() => return,
            }
            let outcome = self.converge().await;
            self.health.note(&outcome);
            if let Err(error) = &outcome {
                tracing::error!("{error}");
            }
            for asker in waiting {
                // Who asked may have gone; the convergence was not for him alone.
                let _ = asker.send(outcome.clone());
            }
        }
    }

    async fn converge(&mut self) -> Result<(), String> {
        let around = self.around.again().map_err(|e| format!("looking at this machine: {e}"))?;
        let spec = self.wish.drawn(around, self.store.as_ref()).map_err(|e| words(&e))?;
        // Whoever has the machine may be `down`, which waits for our end.
        let opened = self.stop.run_until_cancelled(frontend::open_machine(&self.cluster, &self.paths)).await;
        let mut machine = opened.ok_or("the daemon is stopping")?.map_err(|e| words(&e))?;
        let report = machine.converge(spec).await.map_err(|e| words(&e))?;
        tunnel::favour_bbr(&self.cluster, &machine);
        for line in report.done.iter().chain(&report.notes) {
            tracing::info!("{line}");
        }
        Ok(())
    }
}

/// An error and its causes in one line.
pub(super) fn words(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |e| e.source());
    causes.fold(error.to_string(), |all, cause| format!("{all}: {cause}"))
}
