//! What Landbridge and a driver say to each other: one JSON object each way. A driver in Rust can use these types too.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bootstrap::Seed;
use crate::provider::{self, Accelerated, FailureKind, Left, Leftover, MachineId, MachineState, Order};
use crate::spec::ClusterName;
use crate::template::WorkerTemplate;

/// The protocol's version, in every request.
pub const VERSION: u32 = 1;

/// What is asked: the program's only argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// What the host can do; the answer is [`Offered`].
    Offer,
    /// What is there of this cluster's; the answer is [`Listed`].
    List,
    /// Make and start a machine, or find the one that was made for this launch; the answer is [`Machine`].
    Provision,
    /// End a launch's machine and remove all that belongs to it; the answer is [`Done`].
    Destroy,
    /// What the machine wrote to its console; the answer is [`Console`].
    Console,
    /// Remove a leftover; the answer is [`Done`].
    Remove,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 6] = [Self::Offer, Self::List, Self::Provision, Self::Destroy, Self::Console, Self::Remove];

    /// Its word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::List => "list",
            Self::Provision => "provision",
            Self::Destroy => "destroy",
            Self::Console => "console",
            Self::Remove => "remove",
        }
    }
}

/// A request, on standard input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// [`VERSION`].
    pub version: u32,
    /// The cluster's name: what is listed and removed bears it.
    pub cluster: String,
    /// The host's name in cluster.toml.
    pub host: String,
    /// Whose machine it is about: for `provision`, `destroy` and `console`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launch: Option<Launch>,
    /// What to make: for `provision`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Wanted>,
    /// What to remove: for `remove`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leftover: Option<Leftover>,
}

/// One attempt to make a worker's machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// `lb-CLUSTER-WORKER-ID-ATTEMPT`: unique for ever, a name for the machine.
    #[serde(default)]
    pub name: String,
    /// The worker's name.
    pub worker: String,
    /// The worker's number.
    pub worker_id: i64,
    /// 1 for the first attempt.
    pub attempt: u32,
}

/// What to make.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Wanted {
    /// The template.
    pub template: WorkerTemplate,
    /// Processors that the machine sees.
    pub vcpus: u32,
    /// Its memory.
    pub memory_mib: u64,
    /// The bridge of the vLAN on the host: its first network card is a port of it.
    pub bridge: String,
    /// The card's MAC address.
    pub mac: String,
    /// What it is told at its first start.
    pub seed: Seed,
}

/// What the host can do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Offered {
    /// Hundredths of a processor.
    pub cpu: u32,
    /// In MiB.
    pub memory_mib: u64,
    /// Why machines are emulated; absent where hardware runs them.
    #[serde(default)]
    pub emulated: Option<String>,
    /// The hypervisor, in words.
    pub description: String,
}

/// What is there of this cluster's.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Listed {
    /// Machines, whatever their state.
    pub machines: Vec<Machine>,
    /// Everything else: disks, seeds.
    #[serde(default)]
    pub leftovers: Vec<Leftover>,
}

/// A machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Machine {
    /// The host's name for it.
    pub id: String,
    /// Whose it is.
    pub launch: Launch,
    /// Where it is in its life.
    pub state: State,
    /// Its address outside the vLAN.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// When it was started.
    #[serde(default)]
    pub started: Option<Timestamp>,
    /// Why it doesn't run (any more), in words for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// Where a machine is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Accepted; doesn't run yet.
    Pending,
    /// Made, or stopped since: it doesn't run.
    Off,
    /// Runs.
    Running,
    /// On its way out.
    Stopping,
    /// Doesn't run and won't again.
    Gone,
}

/// A console.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Console {
    /// Its end, at most 64 KiB; `None` where there is none.
    pub console: Option<String>,
}

/// Nothing more to say.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Done {}

/// A refusal, on standard output, with an exit status other than 0.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// Its kind.
    pub kind: Kind,
    /// What was left behind.
    #[serde(default)]
    pub left: LeftBehind,
    /// The hypervisor's own words.
    pub seen: String,
    /// What a person can do about it.
    #[serde(default)]
    pub remedy: Option<String>,
}

/// A refusal's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It will be refused again.
    Refused,
    /// The host is full.
    Full,
    /// Later it may work.
    Passing,
}

/// What a refused request left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftBehind {
    /// Nothing.
    Nothing,
    /// These.
    These(Vec<Leftover>),
    /// Nobody knows.
    #[default]
    Unknown,
}

impl Request {
    /// A request about nothing in particular.
    pub(super) fn new(cluster: &str, host: &str) -> Self {
        Self {
            version: VERSION,
            cluster: cluster.into(),
            host: host.into(),
            launch: None,
            machine: None,
            leftover: None,
        }
    }
}

impl From<&provider::Launch> for Launch {
    fn from(launch: &provider::Launch) -> Self {
        Self {
            name: launch.name(),
            worker: launch.worker.to_string(),
            worker_id: launch.worker_id,
            attempt: launch.attempt,
        }
    }
}

impl From<&Order> for Wanted {
    fn from(order: &Order) -> Self {
        Self {
            template: order.template.clone(),
            vcpus: order.template.vcpus(),
            memory_mib: order.template.memory_mib,
            bridge: order.bridge.to_string(),
            mac: order.mac.to_string(),
            seed: order.seed.clone(),
        }
    }
}

impl From<Offered> for provider::Offered {
    fn from(offered: Offered) -> Self {
        Self {
            cpu: offered.cpu,
            memory_mib: offered.memory_mib,
            accelerated: offered.emulated.map_or(Accelerated::Proved, Accelerated::Emulated),
            description: offered.description,
        }
    }
}

impl Machine {
    /// The machine, if its launch is one that we could have made; else what is wrong with it.
    pub(super) fn read(self, cluster: &ClusterName) -> Result<provider::Machine, String> {
        let worker = self.launch.worker.parse().map_err(|_| format!("{:?} as a worker's name", self.launch.worker))?;
        let (worker_id, attempt) = (self.launch.worker_id, self.launch.attempt);
        Ok(provider::Machine {
            id: MachineId(self.id),
            launch: provider::Launch { cluster: cluster.clone(), worker, worker_id, attempt },
            state: self.state.into(),
            address: self.address,
            started: self.started,
            reclaimed_at: None,
            because: self.because,
        })
    }
}

impl From<State> for MachineState {
    fn from(state: State) -> Self {
        match state {
            State::Pending => Self::Pending,
            State::Off => Self::Off,
            State::Running => Self::Running,
            State::Stopping => Self::Stopping,
            State::Gone => Self::Gone,
        }
    }
}

impl From<Kind> for FailureKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Refused => Self::Refused,
            Kind::Full => Self::Full,
            Kind::Passing => Self::Passing,
        }
    }
}

impl From<LeftBehind> for Left {
    fn from(left: LeftBehind) -> Self {
        match left {
            LeftBehind::Nothing => Self::Nothing,
            LeftBehind::These(these) => Self::These(these),
            LeftBehind::Unknown => Self::Unknown,
        }
    }
}
