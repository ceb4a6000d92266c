//! The host's loop: an order or a look at the kernel, the fabric as it should be, and a report.

use std::io;
use std::path::Path;

use landbridge_fabric::Network;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Duration, Instant, sleep_until};

use super::load::Meter;
use super::report;
use crate::agent::orders::Listener;
use crate::agent::{Backoff, renew};
use crate::api::{ApiError, Client};
use crate::guard;
use crate::machine::{Machine, MachineSpec};
use crate::state::{Member, State, StateError};
use crate::underlay;
use crate::wire::{FabricOrder, FabricReport, Failure, Refusal};
use crate::words;

/// How often the kernel is looked at for drift.
const LOOK: Duration = Duration::from_secs(3);
/// How often the front-end is told how busy this host is.
const TELL: Duration = Duration::from_secs(30);
/// After a repair that failed.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause between repairs that fail.
const LONGEST: Duration = Duration::from_secs(30);

/// The host's daemon can't work.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// There is nothing to do.
    #[error("this host has not joined; landbridge-node host join comes first")]
    NotJoined,
    /// This machine's memory.
    #[error(transparent)]
    State(#[from] StateError),
    /// The identity can't be used.
    #[error(transparent)]
    Identity(#[from] ApiError),
    /// Giving the fabric back.
    #[error(transparent)]
    Leave(#[from] super::LeaveError),
    /// Signals.
    #[error("listening for signals")]
    Signals(#[source] io::Error),
}

/// Why the daemon ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was told to; the fabric stays.
    Stopped,
    /// The host is no longer part of the cluster, and nothing of the fabric is left.
    Left,
}

enum Event {
    Order(Box<FabricOrder>),
    Removed(Refusal),
    Look,
    Load,
    Renewal,
    Stop,
}

/// Runs until told to end, or until the host is removed from the cluster. The last order is on disk, so that a host without
/// its front-end comes back from a reboot with its fabric.
pub async fn run(state: &State, machine: &mut Machine) -> Result<End, HostError> {
    let (mut terminate, mut interrupt) = (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
    let mut host = Host::new(state)?;
    host.carry_out(machine, true).await;
    loop {
        let event = tokio::select! {
            order = host.listener.next() => order.map_or_else(Event::Removed, |o| Event::Order(Box::new(o))),
            () = sleep_until(host.look_at) => Event::Look,
            () = sleep_until(host.tell_at) => Event::Load,
            () = sleep_until(host.renew_at) => Event::Renewal,
            _ = terminate.recv() => Event::Stop,
            _ = interrupt.recv() => Event::Stop,
        };
        match event {
            Event::Stop => return Ok(End::Stopped),
            Event::Removed(refusal) => {
                tracing::info!(%refusal, "giving back what is left");
                super::leave(state, machine).await?;
                return Ok(End::Left);
            }
            Event::Look => host.carry_out(machine, false).await,
            Event::Load => host.tell_load().await,
            Event::Renewal => host.renew().await,
            Event::Order(order) => {
                state.keep_order(&order)?;
                host.trust(order.trust_pem.clone())?;
                host.outdated = order.renew;
                host.order = Some(*order);
                host.carry_out(machine, true).await;
                host.renew().await;
            }
        }
    }
}

fn on(kind: SignalKind) -> Result<Signal, HostError> {
    signal(kind).map_err(HostError::Signals)
}

struct Host<'a> {
    state: &'a State,
    member: Member,
    client: Client,
    listener: Listener<FabricOrder>,
    order: Option<FabricOrder>,
    /// Not yet told, because the front-end was not there.
    untold: Option<FabricReport>,
    /// Whether the last look found something.
    failing: bool,
    meter: Meter,
    look_at: Instant,
    tell_at: Instant,
    renew_at: Instant,
    /// The front-end said that the certificate is to be renewed, whatever its age.
    outdated: bool,
    repairs: Backoff,
    renewals: Backoff,
}

impl<'a> Host<'a> {
    fn new(state: &'a State) -> Result<Self, HostError> {
        let member = state.member()?.ok_or(HostError::NotJoined)?;
        let now = Instant::now();
        let mut meter = Meter::default();
        meter.look();
        Ok(Self {
            state,
            client: renew::client(&member)?,
            // From the beginning: the front-end may have lost count, and the same order again changes nothing.
            listener: Listener::start(renew::client(&member)?, 0),
            order: state.order()?,
            untold: None,
            failing: false,
            meter,
            look_at: now + LOOK,
            tell_at: now + LOOK,
            renew_at: now + renew::due_in(&member),
            outdated: false,
            repairs: Backoff::new(FIRST, LONGEST),
            renewals: Backoff::new(LONGEST, Duration::from_hours(1)),
            member,
        })
    }

    /// Makes the fabric as ordered. A new order is always reported, a look only when it changed or found something, or finds no more
    /// what the one before did.
    async fn carry_out(&mut self, machine: &mut Machine, ordered: bool) {
        let Some(order) = &self.order else {
            self.look_at = Instant::now() + LOOK;
            return;
        };
        let (changed, failure) = apply(machine, self.state, &order.network).await;
        let pause = if failure.is_some() { self.repairs.pause() } else { LOOK };
        if failure.is_none() {
            self.repairs.reset();
        }
        let healed = self.failing && failure.is_none();
        self.failing = failure.is_some();
        if ordered || !changed.is_empty() || self.failing || healed {
            self.untold = Some(report(order.generation, &order.network, changed, failure));
        }
        self.tell().await;
        self.look_at = Instant::now() + pause;
    }

    async fn tell(&mut self) {
        let Some(report) = &self.untold else { return };
        match self.client.fabric_report(report).await {
            Ok(()) => self.untold = None,
            Err(error) => tracing::warn!(%error, "reporting to the front-end failed; the fabric stays as it is"),
        }
    }

    async fn tell_load(&mut self) {
        self.tell_at = Instant::now() + TELL;
        let Some(load) = self.meter.look() else { return };
        if let Err(error) = self.client.load(&load).await {
            tracing::debug!(%error, "the front-end could not be told how busy this host is");
        }
    }

    /// Takes over whom to trust.
    fn trust(&mut self, trust_pem: Option<String>) -> Result<(), HostError> {
        if let Some(member) = renew::trust(self.state, &self.member, trust_pem)? {
            tracing::info!("the authorities to trust have changed");
            self.client = renew::client(&member)?;
            self.listener = Listener::start(renew::client(&member)?, 0);
            self.member = member;
        }
        Ok(())
    }

    async fn renew(&mut self) {
        self.renew_at = Instant::now() + renew::due_in(&self.member).max(FIRST);
        if !self.outdated && !renew::is_due(&self.member) {
            return;
        }
        match self.renewed().await {
            Ok(()) => tracing::info!(until = %self.member.facts.not_after, "the certificate was renewed"),
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
        self.outdated = false;
        self.renewals.reset();
        self.renew_at = Instant::now() + renew::due_in(&self.member).max(FIRST);
        Ok(())
    }
}

/// Makes the links as ordered, behind their guard: nobody is let in before it is there. Where it can't be had the links are
/// made all the same, and that is told; so is an underlay that can't carry them, which may be another in a moment.
async fn apply(machine: &mut Machine, state: &State, network: &Network) -> (Vec<String>, Option<Failure>) {
    let guard = guard::resources(&network.owner, &state.paths().guard(), &guard::of_uplinks(network));
    let guarded = make_guard(machine, &guard).await;
    let mut spec = MachineSpec::default();
    if guarded.is_ok() {
        spec.extend(guard);
    }
    spec.push(network.clone());
    let (mut done, unguarded) = match guarded {
        Ok(done) => (done, None),
        Err(failure) => (Vec::new(), Some(failure)),
    };
    let failure = match machine.converge(&spec).await {
        Ok(report) => {
            for note in &report.notes {
                tracing::info!("{note}");
            }
            done.extend(report.done);
            unguarded.or_else(|| underlay::unfit(network))
        }
        Err(error) => Some(words::local("this host's fabric as ordered", &error)),
    };
    for line in &done {
        tracing::info!("{line}");
    }
    if let Some(failure) = &failure {
        tracing::warn!(%failure, "the fabric is not as ordered");
    }
    (done, failure)
}

async fn make_guard(machine: &mut Machine, guard: &MachineSpec) -> Result<Vec<String>, Failure> {
    if !guard.resources.is_empty() && !Path::new(guard::NFT).exists() {
        return Err(words::missing_program("the uplink's guard", guard::NFT, "nftables"));
    }
    let made = machine.extend(guard).await;
    made.map(|report| report.done).map_err(|error| words::local("a guard in front of the uplink", &error))
}
