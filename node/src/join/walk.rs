//! The join itself: stage after stage.

use landbridge_fabric::Mtu;
use landbridge_pki::{NodeName, Role};
use tokio::time::{Duration, Instant};

use super::contact::contact;
use super::identity::{enrol, rejoin};
use super::journey::{Journey, StageFailed};
use super::progress::Progress;
use super::reporter::Reporter;
use super::stages::{is_needed, resources};
use super::{Options, Start, Worker, address, canary, keep, link, mtu, nfs, nis, queue};
use crate::api::Client;
use crate::machine::{Machine, MachineSpec};
use crate::names;
use crate::nic;
use crate::state::{Member, State};
use crate::wire::{Bundle, Failure, Stage};
use crate::words;

/// A ready worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Its name.
    pub name: NodeName,
    /// From the start to ready.
    pub took: Duration,
    /// Whether anything on this machine had to be changed for it.
    pub changed: bool,
}

/// Joins, and keeps the timeline whatever comes of it. With an identity from before the same name and address come of
/// it; everything that is in place already stays as it is.
pub async fn join(
    state: &State,
    machine: &mut Machine,
    start: &Start,
    options: &Options,
    progress: Progress,
) -> Result<Joined, StageFailed> {
    let mut journey = Journey::new(progress, options.limit);
    if let (Start::Known { member, .. }, Some(_)) = (start, &options.token) {
        journey.remark(&format!("this machine is {} already; the token was not used", member.facts.name));
    }
    let mut walk = Walk { state, machine, changed: matches!(start, Start::New { .. }) };
    let walked = walk.all(&mut journey, start).await;
    let took = journey.elapsed();
    let timeline = journey.finish().await;
    if let Err(error) = state.keep_timeline(&timeline) {
        tracing::warn!(%error, "the timeline could not be kept");
    }
    walked.map(|name| Joined { name, took, changed: walk.changed })
}

struct Walk<'a> {
    state: &'a State,
    machine: &'a mut Machine,
    changed: bool,
}

impl Walk<'_> {
    async fn all(&mut self, journey: &mut Journey, start: &Start) -> Result<NodeName, StageFailed> {
        let client = self.contact(journey, start).await?;
        let (member, bundle) = journey.stage(Stage::Identity, async |_| self.identity(&client, start).await).await?;
        let client = member_client(&member).map_err(|failure| StageFailed { stage: Stage::Identity, failure })?;
        if let Ok(beside) = member_client(&member) {
            journey.report_to(Reporter::start(beside));
        }
        let worker = Worker::new(&member, bundle, start.attachment().clone(), self.state.paths().clone());
        for stage in Stage::ALL.into_iter().filter(|stage| *stage > Stage::Identity) {
            if is_needed(stage, &worker.bundle) {
                if stage == Stage::Mtu {
                    journey.report_over_the_vlan();
                }
                journey.stage(stage, async |until| self.one(stage, &worker, &client, until).await).await?;
            } else {
                journey.not_needed(stage);
            }
        }
        // Nothing is left to do, unless an earlier join wanted something else.
        let kept = keep(self.machine, &worker, || true).await;
        self.changed |= !kept.done.is_empty();
        for (stage, error) in kept.failed {
            tracing::warn!(%stage, error = %words::chain(&error), "not as it should be");
        }
        Ok(worker.name)
    }

    /// Reaches the front-end. A known worker whose front-end is not there gets everything that needs no front-end first.
    async fn contact(&mut self, journey: &mut Journey, start: &Start) -> Result<Client, StageFailed> {
        let mut absent = false;
        let result = journey
            .stage(Stage::Contact, async |until| {
                self.bare_nic(start).await?;
                let client = first_client(start)?;
                match contact(&client, until).await {
                    Ok(()) => Ok(client),
                    Err(unreached) => {
                        absent = unreached.absent;
                        Err(unreached.failure)
                    }
                }
            })
            .await;
        if let (true, Start::Known { member, bundle, attachment }) = (absent, start) {
            journey.remark("going on with what the front-end said last; the agent will keep trying to reach it");
            let worker = Worker::new(member, (**bundle).clone(), attachment.clone(), self.state.paths().clone());
            self.without_front_end(&worker).await;
        }
        result
    }

    async fn without_front_end(&mut self, worker: &Worker) {
        let domain = worker.bundle.nis.as_ref().map(|nis| nis.domain.as_str());
        if let Err(error) = names::take(self.state, worker.name.as_str(), domain) {
            tracing::warn!(error = %words::chain(&error), "setting the machine's names");
        }
        for (stage, error) in keep(self.machine, worker, || true).await.failed {
            tracing::warn!(%stage, error = %words::chain(&error), "not as it should be");
        }
    }

    /// The NIC on a bridge needs its address before anybody can be reached. Its MTU comes with the bundle.
    async fn bare_nic(&mut self, start: &Start) -> Result<(), Failure> {
        let (Some(nic), Some(address)) = (&start.attachment().nic, start.address()) else { return Ok(()) };
        let mtu = match start {
            Start::Known { bundle, .. } => bundle.mtu,
            Start::New { .. } => nic::mtu(nic).unwrap_or(Mtu::ETHERNET),
        };
        let mut spec = MachineSpec::default();
        spec.push(link::nic_network(nic, address, mtu));
        let added = self.machine.extend(&spec).await;
        self.changed |=
            !added.map_err(|e| words::local(&format!("the address {address} on {nic}"), &e))?.done.is_empty();
        Ok(())
    }

    async fn identity(&mut self, client: &Client, start: &Start) -> Result<(Member, Bundle), Failure> {
        match start {
            Start::Known { member, .. } => Ok(((**member).clone(), rejoin(self.state, client).await?)),
            Start::New { token, attachment } => {
                let (member, bundle) = enrol(self.state, client, token, Role::Worker, Some(attachment.via)).await?;
                let bundle = bundle.ok_or_else(|| Failure {
                    expected: "a worker's bundle".into(),
                    seen: "the front-end sent none".into(),
                    remedy: "both sides should be of one version of Landbridge".into(),
                })?;
                Ok((member, bundle))
            }
        }
    }

    /// A stage behind the identity: what must be there first, what it adds, and its proof.
    async fn one(&mut self, stage: Stage, worker: &Worker, client: &Client, until: Instant) -> Result<(), Failure> {
        self.prepare(stage, worker).await?;
        let added = self.machine.extend(&resources(stage, worker)).await;
        self.changed |= !added.map_err(|e| explain(stage, worker, &e))?.done.is_empty();
        match stage {
            Stage::Canary => self.canary(worker, client, until).await,
            _ => prove(stage, worker, until).await,
        }
    }

    /// Waits for the front-end's word, unless the execution daemon ends before that: then nobody runs the job.
    async fn canary(&mut self, worker: &Worker, client: &Client, until: Instant) -> Result<(), Failure> {
        let mut exits = self.machine.exits().map_err(|e| words::local("to watch this worker's programs", &e))?;
        tokio::select! {
            word = canary::prove(client, until) => word,
            name = exits.next() => Err(words::ended(&name, &worker.paths)),
        }
    }

    async fn prepare(&mut self, stage: Stage, worker: &Worker) -> Result<(), Failure> {
        let bundle = &worker.bundle;
        let domain = match stage {
            Stage::Nfs => return maybe(bundle.nfs.as_ref().map(nfs::preflight)).await,
            Stage::Queue => return maybe(bundle.queue.as_ref().map(|q| queue::preflight(q, worker))).await,
            Stage::Address => None,
            Stage::Nis => bundle.nis.as_ref().map(|nis| nis.domain.as_str()),
            _ => return Ok(()),
        };
        names::take(self.state, worker.name.as_str(), domain)
            .map_err(|e| words::local(&format!("the host name {}", worker.name), &e))
    }
}

async fn prove(stage: Stage, worker: &Worker, until: Instant) -> Result<(), Failure> {
    let bundle = &worker.bundle;
    match stage {
        Stage::Address => address::prove(worker, until).await,
        Stage::Mtu => mtu::prove(worker, until).await,
        Stage::Nfs => maybe(bundle.nfs.as_ref().map(|nfs| nfs::prove(nfs, until))).await,
        Stage::Nis => maybe(bundle.nis.as_ref().map(|nis| nis::prove(nis, until))).await,
        // OpenVPN has said that the tunnel is up; the execution daemon listens; the front-end proves the canary.
        Stage::Contact | Stage::Identity | Stage::Link | Stage::Queue | Stage::Canary => Ok(()),
    }
}

fn explain(stage: Stage, worker: &Worker, error: &(dyn std::error::Error + 'static)) -> Failure {
    match (stage, &worker.bundle.nfs) {
        (Stage::Link, _) => link::explain(worker, error),
        (Stage::Nfs, Some(nfs)) => nfs::explain(nfs, error),
        (Stage::Nis, _) => nis::explain(error),
        (Stage::Queue, _) => queue::explain(worker, error),
        _ => words::local(&format!("the stage {stage} to change this machine"), error),
    }
}

async fn maybe(work: Option<impl Future<Output = Result<(), Failure>>>) -> Result<(), Failure> {
    match work {
        Some(work) => work.await,
        None => Ok(()),
    }
}

fn first_client(start: &Start) -> Result<Client, Failure> {
    match start {
        Start::New { token, .. } => Ok(Client::with_pin(token.endpoint.into(), token.pin)),
        Start::Known { member, .. } => member_client(member),
    }
}

fn member_client(member: &Member) -> Result<Client, Failure> {
    use secrecy::ExposeSecret as _;
    Client::with_identity(&member.identity, member.key_pem.expose_secret()).map_err(|e| words::contact(&e, None))
}
