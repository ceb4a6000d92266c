//! The join itself: stage after stage.

use std::cell::Cell;
use std::net::SocketAddr;

use landbridge_fabric::Mtu;
use landbridge_pki::{NodeName, Role};
use tokio::sync::SetOnce;
use tokio::time::{Duration, Instant, timeout};

use super::contact::contact;
use super::identity::{enrol, rejoin};
use super::journey::{Journey, StageFailed};
use super::progress::Progress;
use super::reporter::Reporter;
use super::services::Services;
use super::stages::{is_needed, resources, whole_spec};
use super::{Options, Start, Worker, canary, keep, link, modules, people, queue};
use crate::api::Client;
use crate::machine::{ConvergeError, Machine, MachineSpec};
use crate::names;
use crate::nic;
use crate::state::{Member, State};
use crate::wire::{Bundle, Failure, Orders, Stage};
use crate::words;

/// For the first orders, which are answered at once; without them the canary's stage asks again.
const FIRST_ORDERS: Duration = Duration::from_secs(5);

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
    let journey = Journey::new(progress, options.limit);
    if let (Start::Known { member, .. }, Some(_)) = (start, &options.token) {
        journey.remark(&format!("this machine is {} already; the token was not used", member.facts.name));
    }
    let mut walk = Walk { state, machine, changed: matches!(start, Start::New { .. }) };
    let walked = Box::pin(walk.all(&journey, start)).await;
    let timeline = journey.finish().await;
    if let Err(error) = state.keep_timeline(&timeline) {
        tracing::warn!(%error, "the timeline could not be kept");
    }
    walked.map(|(name, took)| Joined { name, took, changed: walk.changed })
}

struct Walk<'a> {
    state: &'a State,
    machine: &'a mut Machine,
    changed: bool,
}

impl Walk<'_> {
    /// The worker's name, and how long it took until it was ready.
    async fn all(&mut self, journey: &Journey, start: &Start) -> Result<(NodeName, Duration), StageFailed> {
        modules::begin_loading_for_link(start.attachment().via);
        let client = self.contact(journey, start).await?;
        let (member, bundle) = journey.stage(Stage::Identity, async |_| self.identity(&client, start).await).await?;
        let reached = client.endpoint().await;
        let client =
            member_client(&member, reached).map_err(|failure| StageFailed { stage: Stage::Identity, failure })?;
        let worker = Worker::new(&member, bundle, start.attachment().clone(), self.state.paths().clone());
        let meanwhile = || {
            if let Ok(beside) = member_client(&member, reached) {
                journey.report_to(Reporter::start(beside));
            }
            modules::begin_loading_for_services(&worker.bundle);
        };
        journey.stage(Stage::Link, async |_| self.link(&worker, meanwhile).await).await?;
        let (queued, place) = (SetOnce::new(), self.machine.place().clone());
        let listening = async {
            queued.wait().await;
            match member_client(&member, reached) {
                Ok(courier) => canary::listen(courier, || queue::schedule_as_usual(&place)).await,
                Err(failure) => failure,
            }
        };
        tokio::select! {
            proved = self.behind_link(journey, &client, &worker, &queued) => proved?,
            failure = listening => return Err(StageFailed { stage: Stage::Canary, failure }),
        }
        let took = journey.elapsed();
        self.tidy(&worker).await;
        Ok((worker.name, took))
    }

    /// The stages that need the link.
    async fn behind_link(
        &mut self,
        journey: &Journey,
        client: &Client,
        worker: &Worker,
        queued: &SetOnce<()>,
    ) -> Result<(), StageFailed> {
        // The way to the front-end's verdict is opened meanwhile.
        let first = timeout(FIRST_ORDERS, client.orders(0));
        let (served, first) = tokio::join!(self.services(journey, worker, queued), first);
        served?;
        if is_needed(Stage::Canary, &worker.bundle) {
            let first = first.ok().and_then(Result::ok);
            let work = async |until| self.canary(client, first, worker, until).await;
            journey.stage(Stage::Canary, work).await
        } else {
            journey.not_needed(Stage::Canary);
            Ok(())
        }
    }

    async fn services(&mut self, journey: &Journey, worker: &Worker, queued: &SetOnce<()>) -> Result<(), StageFailed> {
        let changed = Cell::new(self.changed);
        let interrupted = |error: ConvergeError| words::local("the machine as it was before", &error);
        let machine = self.machine.beside().await;
        let machine = machine.map_err(|error| StageFailed { stage: Stage::Address, failure: interrupted(error) })?;
        let services = Services { journey, machine, worker, changed: &changed, queued };
        let served = Box::pin(services.all()).await;
        self.changed = changed.get();
        served
    }

    /// Nothing is left to do, unless an earlier join wanted something else.
    async fn tidy(&mut self, worker: &Worker) {
        match self.machine.converge(&whole_spec(worker)).await {
            Ok(report) => self.changed |= !report.done.is_empty(),
            Err(error) => tracing::warn!(error = %words::chain(&error), "not as it should be"),
        }
    }

    /// Reaches the front-end. A known worker whose front-end is not there gets everything that needs no front-end first.
    async fn contact(&mut self, journey: &Journey, start: &Start) -> Result<Client, StageFailed> {
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

    /// The tunnel, or the NIC as it should be; OpenVPN itself says when the tunnel is up. All that programs look up in files comes
    /// meanwhile, before there are any: an older C library reads the switch once in a program's life. And not before OpenVPN waits
    /// for its server: everything waits for it.
    async fn link(&mut self, worker: &Worker, meanwhile: impl FnOnce()) -> Result<(), Failure> {
        let (name, nis) = (&worker.name, worker.bundle.nis.as_ref());
        let named = names::take(self.state, name.as_str(), nis.map(|nis| nis.domain.as_str()))
            .map_err(|error| words::local(&format!("the host name {name}"), &error));
        let machine = self.machine.beside().await.map_err(|error| link::explain(worker, &error));
        let machine = match named.and(machine) {
            Ok(machine) => machine,
            Err(failure) => {
                // What fails as early as this is reported like everything else.
                meanwhile();
                return Err(failure);
            }
        };
        let (link, mut files) = (resources(Stage::Link, worker), resources(Stage::Address, worker));
        files.extend(nis.map(people::resources).unwrap_or_default());
        let (under_way, up) = (link::under_way(worker), SetOnce::new());
        let made = async {
            let made = machine.extend(&link).await;
            let _ = up.set(());
            made
        };
        let named = async {
            tokio::select! {
                () = under_way => (),
                &() = up.wait() => (),
            }
            meanwhile();
            machine.extend(&files).await
        };
        let (added, named) = tokio::join!(made, named);
        let added = added.map_err(|error| link::explain(worker, &error))?;
        let named = named.map_err(|error| words::local("the names of the cluster's machines and people", &error))?;
        self.changed |= !(added.done.is_empty() && named.done.is_empty());
        link::favour_bbr(self.machine, worker);
        Ok(())
    }

    /// Waits for the front-end's word, unless the execution daemon ends before that: then nobody runs the job.
    async fn canary(
        &mut self,
        client: &Client,
        first: Option<Orders>,
        worker: &Worker,
        until: Instant,
    ) -> Result<(), Failure> {
        let mut exits = self.machine.exits().map_err(|e| words::local("to watch this worker's programs", &e))?;
        tokio::select! {
            verdict = canary::prove(client, first, until) => verdict,
            name = exits.next() => Err(words::ended(&name, &worker.paths)),
        }
    }
}

fn first_client(start: &Start) -> Result<Client, Failure> {
    match start {
        Start::New { token, .. } => Ok(Client::with_pin(token.endpoint.into(), token.pin)),
        Start::Known { member, .. } => member_client(member, None),
    }
}

/// For a member; the front-end has answered at `reached` already.
fn member_client(member: &Member, reached: Option<SocketAddr>) -> Result<Client, Failure> {
    use secrecy::ExposeSecret as _;
    Client::with_identity_at(&member.identity, member.key_pem.expose_secret(), reached)
        .map_err(|e| words::contact(&e, None))
}
