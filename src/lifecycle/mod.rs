//! Who is in the cluster, and the one way from `planned` to `ready` to `gone`.
//!
//! [`Roster`] decides; the store remembers; the backends (tunnel, queue) and the machine's convergence do. A step is on disk
//! before it runs, and every step may run twice.

mod admit;
mod bell;
mod boot;
mod bundle;
mod error;
mod gate;
mod goodbye;
mod hear;
mod hosts;
mod inventory;
mod leave;
mod loads;
mod people;
mod prove;
mod refusals;
mod refuse;
mod token;
mod troubles;
mod workers;

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use landbridge_node::wire::{Failure, People, Via};
use landbridge_pki::{Authority, NodeName};
use tokio::sync::{Notify, watch};
use tokio_util::task::TaskTracker;

use crate::frontend;
use crate::paths::Paths;
use crate::program::{NodeProgram, ProgramError};
use crate::provider::Providers;
use crate::scheduler::{Queue, Word};
use crate::services::nfs::NfsServer;
use crate::spec::Cluster;
use crate::store::Store;
use crate::tunnel::{self, Server, Tunnel};
use crate::worker::Worker;
use bell::Bells;
use goodbye::Goodbyes;
use loads::Loads;
use refusals::Refusals;
use troubles::Troubles;

pub use boot::{BootAnswer, BootRequest, Booted, Tempo};
pub use error::RosterError;
pub use gate::Doorkeeper;
pub use hosts::members;
pub use inventory::Inventory;
pub use leave::quarantine;
pub use refuse::CLOCK_ALLOWANCE;
pub use token::{HostOffer, Offer, TokenRequest};

/// For an answer of the queue's that nothing hangs on.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Asks for the front-end's machine to follow a change of the roster: hosts files, NIS maps, flood entries.
pub trait Follow: Send + Sync {
    /// Returns when a convergence that began after the call has ended; the error is in words.
    fn follow(&self) -> std::pin::Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>>;
}

/// Everything that the roster works with.
pub struct Parts {
    /// The cluster as its file says.
    pub cluster: Arc<Cluster>,
    /// Where things are.
    pub paths: Paths,
    /// Memory.
    pub store: Arc<dyn Store>,
    /// The certificate authority.
    pub authority: Authority,
    /// The queue.
    pub queue: Queue,
    /// The OpenVPN server.
    pub tunnel: Tunnel,
    /// Who makes machines on which host.
    pub providers: Providers,
    /// How long is waited for what.
    pub tempo: Tempo,
    /// What other machines are given; `None`: found when the first one asks.
    pub node: Option<NodeProgram>,
    /// The front-end's people.
    pub people: People,
    /// Which NFS server the front-end has.
    pub nfs_server: NfsServer,
    /// The front-end's own machine.
    pub follow: Arc<dyn Follow>,
}

/// Who is in the cluster.
pub struct Roster {
    cluster: RwLock<Arc<Cluster>>,
    paths: Paths,
    store: Arc<dyn Store>,
    authority: Mutex<Authority>,
    queue: Queue,
    tunnel: Tunnel,
    makers: HashMap<NodeName, Arc<boot::Maker>>,
    tempo: Tempo,
    /// Rises whenever a worker moves to another state.
    moves: watch::Sender<u64>,
    follow: Arc<dyn Follow>,
    bells: Bells,
    goodbyes: Goodbyes,
    /// What the front-end's side of a join found, until the worker has heard it.
    verdicts: Mutex<HashMap<NodeName, Result<(), Failure>>>,
    /// What the canary jobs that are under way will leave on their workers.
    words: Mutex<HashMap<NodeName, Arc<Word>>>,
    /// Rung for a worker that moves to another state, for whoever waits for that one.
    steps: Bells,
    /// The workers, by id, for whom the front-end is prepared, and with how many slots.
    prepared: Mutex<HashMap<i64, u32>>,
    /// Workers whose leaving or proving is under way in a task of ours.
    busy: Mutex<std::collections::HashSet<NodeName>>,
    refusals: Refusals,
    troubles: Troubles,
    loads: Loads,
    people: people::Known,
    nfs_server: NfsServer,
    tasks: TaskTracker,
    /// What other machines are given; read when the first one asks.
    node: OnceLock<NodeProgram>,
    /// Whom to trust has changed, and the doors must know before the first renewed node knocks.
    trust: Notify,
}

impl Roster {
    /// Takes the parts together. [`Roster::resume`] goes on with what a crash interrupted.
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            cluster: RwLock::new(parts.cluster),
            paths: parts.paths,
            store: parts.store,
            authority: Mutex::new(parts.authority),
            queue: parts.queue,
            tunnel: parts.tunnel,
            makers: boot::makers(parts.providers),
            tempo: parts.tempo,
            moves: watch::channel(0).0,
            follow: parts.follow,
            bells: Bells::new(Timestamp::now()),
            goodbyes: Goodbyes::default(),
            verdicts: Mutex::default(),
            words: Mutex::default(),
            steps: Bells::new(Timestamp::now()),
            prepared: Mutex::default(),
            busy: Mutex::default(),
            refusals: Refusals::default(),
            troubles: Troubles::default(),
            loads: Loads::default(),
            people: parts.people.into(),
            nfs_server: parts.nfs_server,
            tasks: TaskTracker::new(),
            node: parts.node.map_or_else(OnceLock::new, OnceLock::from),
            trust: Notify::new(),
        })
    }

    /// The cluster as its file said last.
    pub fn cluster(&self) -> Arc<Cluster> {
        Arc::clone(&self.cluster.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Memory, for those who only look.
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// Does something with the authority. Quick and synchronous: no await while it is held.
    pub fn with_authority<T>(&self, f: impl FnOnce(&mut Authority) -> T) -> T {
        f(&mut self.authority.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where things are.
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// `landbridge-node` as other machines are given it, and its hash.
    pub fn node_program(&self) -> Result<&NodeProgram, ProgramError> {
        if let Some(program) = self.node.get() {
            return Ok(program);
        }
        let program = NodeProgram::find()?;
        Ok(self.node.get_or_init(|| program))
    }

    /// Who has a tunnel session with a server process now.
    pub async fn connected(&self, server: &Server) -> Result<Vec<NodeName>, RosterError> {
        Ok(self.tunnel.connected(server).await?)
    }

    /// Whether a worker has a session with any server process. One that can't be asked matters only if no other has it.
    async fn has_session(&self, name: &NodeName) -> Result<bool, RosterError> {
        let servers = tunnel::servers(&self.cluster());
        let answers = join_all(servers.iter().map(|server| self.connected(server))).await;
        if answers.iter().flatten().any(|names| names.contains(name)) {
            return Ok(true);
        }
        answers.into_iter().collect::<Result<Vec<_>, _>>().map(|_| false)
    }

    /// Rises whenever a worker moves to another state.
    pub fn moves(&self) -> watch::Receiver<u64> {
        self.moves.subscribe()
    }

    /// The addresses of the workers that may be at the other end of a tunnel now, and whether each has joined.
    pub fn far_ends(&self) -> Result<BTreeMap<Ipv4Addr, bool>, RosterError> {
        let there = |worker: &&Worker| worker.via == Via::Tunnel && worker.state.has_called();
        let joined = |worker: &Worker| (worker.address, worker.ready.is_some());
        Ok(self.store.workers()?.iter().filter(there).map(joined).collect())
    }

    /// Whom the tunnel server lets in.
    pub fn admitted(&self) -> Result<Vec<NodeName>, RosterError> {
        Ok(self.tunnel.admitted()?)
    }

    /// Whom the queue knows.
    pub async fn queue_knows(&self) -> Result<Vec<NodeName>, RosterError> {
        Ok(self.queue.known().await?)
    }

    /// How many jobs of people's run, by worker; `None` when the queue doesn't say so at once.
    pub async fn jobs(&self) -> Option<BTreeMap<NodeName, u32>> {
        tokio::time::timeout(AT_ONCE, self.queue.jobs()).await.ok()?.ok()
    }

    /// Ends a machine's tunnel session, if it has one, and lets it in no more.
    pub async fn cut_session(&self, name: &NodeName) -> Result<(), RosterError> {
        Ok(self.tunnel.cut(name).await?)
    }

    /// Whom to trust has changed: the front-end takes a new certificate, and every node is told to.
    pub async fn trust_changed(&self) -> Result<(), RosterError> {
        let cluster = self.cluster();
        self.with_authority(|authority| frontend::renew_own(&cluster, &self.paths, authority, Timestamp::now()))?;
        self.trust.notify_one();
        let workers = self.store.workers()?.into_iter().map(|w| w.name);
        for name in workers.chain(self.store.hosts()?.into_iter().map(|h| h.name)) {
            self.bells.ring(&name);
        }
        self.follow.follow().await.map_err(RosterError::Follow)
    }

    /// Waits until whom to trust has changed.
    pub async fn trust_news(&self) {
        self.trust.notified().await;
    }

    /// Waits for the tasks that are under way.
    pub async fn settle(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn note(&self, subject: &NodeName, text: &str) {
        self.note_of(subject.as_str(), text);
    }

    fn note_of(&self, subject: &str, text: &str) {
        tracing::info!(subject, "{text}");
        if let Err(error) = self.store.record_event(subject, text, Timestamp::now()) {
            tracing::error!(%error, "an event was not recorded");
        }
    }

    /// Marks a worker as being worked on; `None` when it is already.
    fn claim(self: &Arc<Self>, name: &NodeName) -> Option<Claim> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.insert(name.clone()).then(|| Claim { roster: Arc::clone(self), name: name.clone() })
    }
}

/// One task at a time works on a worker.
struct Claim {
    roster: Arc<Roster>,
    name: NodeName,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.roster.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

#[cfg(test)]
pub(super) mod tests;
