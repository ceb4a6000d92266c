//! The agent's loop: an event, what it changes, and everything as it should be again.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant, sleep_until};

use super::leave::leave_on_orders;
use super::notice::{Notice, taken_back};
use super::orders::Listener;
use super::renew;
use super::{Backoff, LeaveError};
use crate::api::{ApiError, Client};
use crate::join::{Worker, identity, keep};
use crate::machine::{Exits, Machine};
use crate::state::{Member, State, StateError};
use crate::wire::{Bundle, LinkBundle, Orders, Refusal, Standing, TakenBack};
use crate::{metadata, names, words};

/// Drift that no event tells of is repaired this often.
const REPAIR: Duration = Duration::from_secs(30);
/// After a repair that failed.
const FIRST: Duration = Duration::from_secs(1);

/// Why the agent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was told to; everything on the machine goes on.
    Stopped,
    /// The worker has left the cluster.
    Left,
}

/// The agent can't work.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// There is nothing to keep.
    #[error("this machine has not joined; landbridge-node join comes first")]
    NotJoined,
    /// This machine's memory.
    #[error(transparent)]
    State(#[from] StateError),
    /// The identity can't be used.
    #[error(transparent)]
    Identity(#[from] ApiError),
    /// Leaving.
    #[error(transparent)]
    Leave(#[from] LeaveError),
    /// Signals.
    #[error("listening for signals")]
    Signals(#[source] io::Error),
}

/// What woke the agent.
enum Event {
    Orders(Box<Orders>),
    LockedOut(Refusal),
    Exited(String),
    TakenBack(Timestamp),
    Timer,
    Path,
    Renewal,
    Stop,
}

/// Runs until told to end, or until the worker has left.
pub async fn run(state: &State, machine: &mut Machine) -> Result<End, AgentError> {
    let mut stop = stop()?;
    let mut agent = Agent::new(state)?;
    loop {
        let mut exits = agent.repair(machine, &stop).await;
        let event = tokio::select! {
            orders = agent.listener.next() => orders.map_or_else(Event::LockedOut, |o| Event::Orders(Box::new(o))),
            name = exit(exits.as_mut()) => Event::Exited(name),
            at = taken_back(agent.notice.as_mut()) => Event::TakenBack(at),
            () = sleep_until(agent.repair_at) => Event::Timer,
            () = agent.path_news.notified() => Event::Path,
            () = sleep_until(agent.renew_at) => Event::Renewal,
            _ = stop.wait_for(|told| *told) => Event::Stop,
        };
        match event {
            Event::Stop => return Ok(End::Stopped),
            Event::Timer => {}
            Event::Path => tracing::debug!("the path to the front-end has changed"),
            // A person's decision, and theirs is what follows from it: `landbridge-node leave`, or a new token.
            Event::LockedOut(refusal) => tracing::warn!(%refusal, "everything on this machine stays as it is"),
            Event::Exited(name) => tracing::warn!(name, "a program of ours has ended; starting it again"),
            Event::TakenBack(at) => agent.tell_of(at).await,
            Event::Renewal => agent.renew().await,
            Event::Orders(orders) if orders.standing == Standing::Leave => {
                tracing::info!("leaving the cluster, as the front-end says");
                leave_on_orders(state, machine, &agent.worker, &agent.client).await?;
                return Ok(End::Left);
            }
            Event::Orders(orders) => agent.follow(*orders).await?,
        }
    }
}

/// Turns true when this process is told to end: seen by a repair between two of its stages as well.
fn stop() -> Result<watch::Receiver<bool>, AgentError> {
    let (mut terminate, mut interrupt) = (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
    let (told, stop) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        told.send_replace(true);
        told.closed().await;
    });
    Ok(stop)
}

fn on(kind: SignalKind) -> Result<Signal, AgentError> {
    signal(kind).map_err(AgentError::Signals)
}

/// The name of the next program that ends.
async fn exit(exits: Option<&mut Exits>) -> String {
    match exits {
        Some(exits) => exits.next().await,
        None => std::future::pending().await,
    }
}

/// After a repair that failed, a program that is not there would wake us at once, again and again.
fn exits(machine: &Machine, repaired: bool) -> Option<Exits> {
    let exits = repaired.then(|| machine.exits()).transpose();
    exits.inspect_err(|error| tracing::warn!(error = %words::chain(error), "watching programs")).ok().flatten()
}

struct Agent<'a> {
    state: &'a State,
    member: Member,
    worker: Worker,
    client: Client,
    listener: Listener<Orders>,
    /// Of a machine behind a tunnel, which may be in a cloud.
    notice: Option<Notice>,
    /// What the front-end has heard of that.
    told: Option<Timestamp>,
    repair_at: Instant,
    renew_at: Instant,
    /// The front-end said that the certificate is to be renewed, whatever its age.
    outdated: bool,
    repairs: Backoff,
    renewals: Backoff,
    /// The task that keeps the path to the front-end; it ends with this.
    path: JoinSet<()>,
    /// The path to the front-end is not what it was.
    path_news: Arc<Notify>,
}

impl<'a> Agent<'a> {
    fn new(state: &'a State) -> Result<Self, AgentError> {
        let path_news = Arc::new(Notify::new());
        let member = state.member()?.ok_or(AgentError::NotJoined)?;
        let worker = worker(state, &member)?;
        let now = Instant::now();
        Ok(Self {
            state,
            listener: Listener::start(renew::client(&member)?, 0),
            client: renew::client(&member)?,
            notice: matches!(worker.bundle.link, LinkBundle::Tunnel { .. }).then(|| Notice::watch(metadata::address())),
            told: None,
            repair_at: now + REPAIR,
            renew_at: now + renew::due_in(&member),
            outdated: false,
            repairs: Backoff::new(FIRST, REPAIR),
            renewals: Backoff::new(REPAIR, Duration::from_hours(1)),
            path: path(&worker, &path_news),
            path_news,
            worker,
            member,
        })
    }

    /// Makes everything as it should be, and says when to look again, and whose end to hear of before that.
    async fn repair(&mut self, machine: &mut Machine, stop: &watch::Receiver<bool>) -> Option<Exits> {
        let domain = self.worker.bundle.nis.as_ref().map(|nis| nis.domain.as_str());
        if let Err(error) = names::take(self.state, self.worker.name.as_str(), domain) {
            tracing::warn!(error = %words::chain(&error), "setting the machine's names");
        }
        let kept = keep(machine, &self.worker, || !*stop.borrow()).await;
        for line in &kept.done {
            tracing::info!("{line}");
        }
        for (stage, error) in &kept.failed {
            tracing::warn!(%stage, error = %words::chain(error), "not as it should be");
        }
        let exits = exits(machine, kept.failed.is_empty());
        let pause = if kept.failed.is_empty() {
            self.repairs.reset();
            REPAIR
        } else {
            self.repairs.pause()
        };
        self.repair_at = Instant::now() + pause;
        exits
    }

    /// Tells the front-end that the machine is taken back. What it did not hear it is told with the cloud's next word.
    async fn tell_of(&mut self, at: Timestamp) {
        if self.told == Some(at) {
            return;
        }
        match self.client.taken_back(&TakenBack { at }).await {
            Ok(()) => {
                tracing::warn!(%at, "the cloud takes this machine back; the front-end knows");
                self.told = Some(at);
            }
            Err(error) => {
                tracing::warn!(%at, error = %words::chain(&error), "saying that the cloud takes this machine back");
            }
        }
    }

    /// Takes over what the orders bring.
    async fn follow(&mut self, orders: Orders) -> Result<(), AgentError> {
        if let Some(bundle) = orders.bundle
            && bundle != self.worker.bundle
        {
            tracing::info!("the front-end has changed this worker's bundle");
            self.state.keep_bundle(&bundle)?;
            let is_elsewhere = !has_same_path(&bundle, &self.worker.bundle);
            self.worker.bundle = bundle;
            if is_elsewhere {
                self.path = path(&self.worker, &self.path_news);
            }
        }
        if let Some(member) = renew::trust(self.state, &self.member, orders.trust_pem)? {
            tracing::info!("the authorities to trust have changed");
            self.client = renew::client(&member)?;
            self.listener = Listener::start(renew::client(&member)?, 0);
            self.member = member;
        }
        self.outdated = orders.renew;
        if self.outdated {
            self.renew_now().await;
        }
        Ok(())
    }

    /// The renewal's timer: due, or only another look at the clock.
    async fn renew(&mut self) {
        if self.outdated || renew::is_due(&self.member) {
            self.renew_now().await;
        } else {
            self.renew_at = Instant::now() + renew::due_in(&self.member).max(FIRST);
        }
    }

    async fn renew_now(&mut self) {
        match self.renewed().await {
            Ok(()) => {
                tracing::info!(until = %self.member.facts.not_after, "the certificate was renewed");
                self.outdated = false;
                self.renewals.reset();
                self.renew_at = Instant::now() + renew::due_in(&self.member).max(FIRST);
            }
            Err(error) => {
                tracing::warn!(error = %words::chain(&error), "the certificate was not renewed");
                self.renew_at = Instant::now() + self.renewals.pause();
            }
        }
    }

    async fn renewed(&mut self) -> Result<(), renew::RenewError> {
        self.member = renew::renew(self.state, &self.client).await?;
        self.client = renew::client(&self.member)?;
        self.listener = Listener::start(renew::client(&self.member)?, 0);
        // The tunnel's text names authorities too; without an answer it keeps the old ones until the next orders.
        if let Err(failure) = identity::rejoin(self.state, &self.client).await {
            tracing::warn!(%failure, "asking for the bundle after a renewal");
        }
        if let Ok(worker) = worker(self.state, &self.member) {
            self.worker = worker;
        }
        Ok(())
    }
}

/// Whether what was proved of the path for the one holds for the other.
fn has_same_path(one: &Bundle, other: &Bundle) -> bool {
    (&one.link, one.mtu, one.front_end.address) == (&other.link, other.mtu, other.front_end.address)
}

/// Keeps the path to the front-end, where it may carry large packets.
fn path(worker: &Worker, news: &Arc<Notify>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    match worker.path() {
        Ok(Some(path)) => {
            let news = Arc::clone(news);
            tasks.spawn(path.keep(move || news.notify_one()));
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "large packets to the front-end are not tried"),
    }
    tasks
}

fn worker(state: &State, member: &Member) -> Result<Worker, AgentError> {
    let bundle = state.bundle()?.ok_or(AgentError::NotJoined)?;
    let attachment = state.attachment()?.ok_or(AgentError::NotJoined)?;
    Ok(Worker::new(member, bundle, attachment, state.paths().clone()))
}
