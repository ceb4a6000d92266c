//! A cloud in the lab: EC2's API on the internet, and for every instance that it reports running a real machine in the cloud's
//! network, which asks a metadata service at 169.254.169.254 who it is.
//!
//! ```text
//!     internet ── api .20 (moto, port 5000)
//!     cloud ───┬─ metadata 169.254.169.254 (IMDSv2)
//!              ├─ ip-203-0-113-4     a machine of its own kernel for an instance
//!              └─ …
//! ```
//!
//! Terminate ends the machine. A machine that dies is reported terminated. One that is taken back is told so by the metadata service first. Images are registered with what their machines do when
//! they have started: the golden one joins by its user-data, the bare one waits, the stock one is a whole Debian with cloud-init.

mod api;
mod body;
mod dhcp;
mod emulated;
mod hall;
mod http;
mod images;
mod metadata;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::error::{LabError, LabResult, io_error};
use crate::net::Network;
use crate::{Lab, Machine, Running, Uml, image};

pub use images::{BARE_AMI, GOLDEN_AMI, STOCK_AMI};

use api::{Api, Instance};
use body::Body;
use hall::Hall;
use metadata::Metadata;

/// The API's port.
const PORT: u16 = 5000;

/// The key pair of the template of 2008.
const KEY_PAIR: &str = "gsg-keypair";

/// Python takes its time on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where a cloud's parts are plugged in.
pub struct Site<'a> {
    /// Where the API is reached.
    pub internet: &'a Network,
    /// Its address there.
    pub api: Ipv4Addr,
    /// Where instances live.
    pub network: &'a Network,
    /// Their addresses.
    pub subnet: &'a str,
    /// What else they reach, by their own segment.
    pub reaches: &'a str,
}

/// A running cloud. Dropped, it ends its machines and itself.
pub struct Cloud {
    api: Api,
    subnet: String,
    state: Shared,
    _moto: Running,
    _metadata: Metadata,
    _hall: Hall,
}

/// What the cloud's threads know together.
#[derive(Clone, Default)]
struct Shared(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    /// As the API reported them last.
    instances: Vec<Instance>,
    /// Those that have a machine.
    machines: Vec<(String, Body)>,
    /// Those that are taken back, and when: spot instances under notice.
    notices: BTreeMap<String, Timestamp>,
    /// What went wrong with a machine, for whoever waits for it.
    trouble: Vec<String>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.lock());
        self.0.1.notify_all();
        changed
    }

    /// Waits until the look finds something.
    fn wait<T>(&self, what: &str, patience: Duration, look: impl Fn(&State) -> Option<T>) -> LabResult<T> {
        let until = Instant::now() + patience;
        let mut state = self.lock();
        loop {
            if let Some(found) = look(&state) {
                return Ok(found);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let seen = format!("; instances: {:?}; trouble: {:?}", state.instances, state.trouble);
                return Err(LabError::Deadline { machine: "the cloud".into(), what: what.into(), patience, seen });
            }
            state = self.0.1.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Cloud {
    /// Opens it, with the images of this module and a subnet for its instances.
    ///
    /// # Errors
    /// moto is missing, or did not start.
    pub fn open(lab: &Arc<Lab>, site: &Site<'_>) -> LabResult<Self> {
        let (machine, moto) = start_api(lab, site)?;
        let api = Api::new(&machine, SocketAddr::from((site.api, PORT)));
        let subnet = api.make_subnet(site.subnet)?;
        api.ask("CreateKeyPair", &[("KeyName", KEY_PAIR)])?;
        let state = Shared::default();
        let metadata = Metadata::start(lab, site, &api, &state)?;
        let hall = Hall::open(lab, site, &api, &state);
        Ok(Self { api, subnet, state, _moto: moto, _metadata: metadata, _hall: hall })
    }

    /// The API's URL.
    pub fn endpoint(&self) -> String {
        self.api.endpoint()
    }

    /// The id of the subnet of its instances.
    pub fn subnet(&self) -> &str {
        &self.subnet
    }

    /// What every machine that is there wrote to its console.
    ///
    /// # Errors
    /// One of them could not be read.
    pub fn consoles(&self) -> LabResult<String> {
        let bodies: Vec<Body> = self.state.lock().machines.iter().map(|(_, body)| body.clone()).collect();
        bodies.iter().map(Body::console).collect()
    }

    /// Waits for the machine of an instance that has a kernel of its own. It has started; what it does by itself may go on.
    ///
    /// # Errors
    /// It took too long; the error says what went wrong with which machine.
    pub fn machine(&self, instance: &str, patience: Duration) -> LabResult<Uml> {
        let find = |state: &State| state.machines.iter().find(|(id, _)| id == instance)?.1.uml();
        self.state.wait(&format!("the machine of {instance}"), patience, find)
    }

    /// Takes an instance back after this time, as the spot market does: its metadata service says so until then.
    pub fn take_back(&self, instance: &str, within: Duration) {
        self.state.change(|state| state.notices.insert(instance.to_owned(), Timestamp::now() + within));
    }

    /// Waits until no machine is left.
    ///
    /// # Errors
    /// It took too long.
    pub fn await_empty(&self, patience: Duration) -> LabResult<()> {
        self.state.wait("the end of all machines", patience, |state| state.machines.is_empty().then_some(()))
    }

    /// The states of all instances, as the API shows them now: `running`, `terminated` …
    ///
    /// # Errors
    /// The API's words.
    pub fn states(&self) -> LabResult<Vec<String>> {
        Ok(self.api.instances()?.into_iter().map(|it| it.state).collect())
    }

    /// An action of the API, by hand.
    ///
    /// # Errors
    /// The API's words.
    pub fn ask(&self, action: &str, parameters: &[(&str, &str)]) -> LabResult<String> {
        self.api.ask(action, parameters)
    }
}

/// A machine on the internet with moto's server on it.
fn start_api(lab: &Lab, site: &Site<'_>) -> LabResult<(Machine, Running)> {
    let packages = image::moto_packages()?;
    let address = format!("{}/24", site.api);
    let machine =
        lab.machine("api").nic("eth0", site.internet, address.as_str()).share(packages, "/opt/moto").start()?;
    machine.write_file("/etc/moto/amis.json", images::AMIS)?;
    let server = machine
        .run(&format!("exec python3 -m moto.server -H {} -p {PORT}", site.api))
        .env("PYTHONPATH", "/opt/moto")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("MOTO_AMIS_PATH", "/etc/moto/amis.json")
        .env("MOTO_ENABLE_KEYPAIR_VALIDATION", "true")
        .spawn()?;
    machine.wait_for_tcp((site.api, PORT).into(), PATIENCE)?;
    Ok((machine, server))
}

/// A listener inside of a machine's network.
fn listen(machine: &Machine, at: SocketAddr) -> LabResult<std::net::TcpListener> {
    let bind = || std::net::TcpListener::bind(at);
    machine.netns().enter(bind).map_err(io_error("listening on", &at.to_string()))
}
