//! The front-end's machine follows the roster: one convergence at a time, as many wishes as there are in each.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use landbridge_node::machine::MachineSpec;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::frontend::{self, Members, Surroundings};
use crate::lifecycle::{self, Follow};
use crate::paths::Paths;
use crate::scheduler::Queue;
use crate::spec::Cluster;
use crate::store::{Store, StoreError};
use crate::tunnel;
use crate::worker::{LeaveStep, Worker, WorkerState};

/// Drift that no event tells of is looked for this often.
const PATROL: Duration = Duration::from_secs(30);

type Wish = oneshot::Sender<Result<(), String>>;

/// The asking end.
struct Asker(mpsc::UnboundedSender<Wish>);

impl Follow for Asker {
    fn follow(&self) -> std::pin::Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        let (wish, answer) = oneshot::channel();
        let sent = self.0.send(wish);
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

/// Who is in the cluster, as the store says.
pub fn members(cluster: &Cluster, store: &dyn Store) -> Result<Members, StoreError> {
    Ok(Members {
        underlay: lifecycle::members(cluster, store)?,
        workers: store.workers()?.iter().filter(|w| has_a_name(w)).map(Worker::host_entry).collect(),
    })
}

/// The last step of leaving proves that nothing is left: by then the name is gone.
fn has_a_name(worker: &Worker) -> bool {
    worker.state != WorkerState::Leaving(LeaveStep::Prove)
}

/// What the front-end's machine should be now, as the daemon keeps it.
pub fn wish(
    cluster: &Cluster,
    paths: &Paths,
    around: &Surroundings,
    store: &dyn Store,
) -> Result<MachineSpec, StoreError> {
    let queue = Queue::of(cluster, paths);
    let spec = frontend::machine_spec(cluster, paths, around, &members(cluster, store)?, &queue);
    Ok(frontend::without_own_restart(spec))
}

/// Starts the converging task.
pub(super) fn start(
    cluster: Arc<Cluster>,
    paths: Paths,
    around: Surroundings,
    store: Arc<dyn Store>,
    stop: CancellationToken,
) -> Started {
    let (wishes, inbox) = mpsc::unbounded_channel();
    let health = Arc::new(Health::new());
    let keeper = Keeper { cluster, paths, around, store, health: Arc::clone(&health), stop };
    Started { follow: Arc::new(Asker(wishes)), health, task: tokio::spawn(keeper.keep(inbox)) }
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
    health: Arc<Health>,
    stop: CancellationToken,
}

impl Keeper {
    async fn keep(self, mut inbox: mpsc::UnboundedReceiver<Wish>) {
        let mut patrol = tokio::time::interval(PATROL);
        patrol.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let mut wishes = Vec::new();
            tokio::select! {
                received = inbox.recv_many(&mut wishes, usize::MAX) => if received == 0 { return },
                _ = patrol.tick() => {}
                () = self.stop.cancelled() => return,
            }
            let outcome = self.converge().await;
            self.health.note(&outcome);
            if let Err(error) = &outcome {
                tracing::error!("{error}");
            }
            for wish in wishes {
                // Who asked may have gone; the convergence was not for him alone.
                let _ = wish.send(outcome.clone());
            }
        }
    }

    async fn converge(&self) -> Result<(), String> {
        let around = self.around.again().map_err(|e| format!("looking at this machine: {e}"))?;
        let spec = wish(&self.cluster, &self.paths, &around, self.store.as_ref()).map_err(|e| words(&e))?;
        // Whoever has the machine may be `down`, which waits for our end.
        let opened = self.stop.run_until_cancelled(frontend::open_machine(&self.cluster, &self.paths)).await;
        let mut machine = opened.ok_or("the daemon is stopping")?.map_err(|e| words(&e))?;
        let report = machine.converge(&spec).await.map_err(|e| words(&e))?;
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
