//! The machines that drivers asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use jiff::Timestamp;
use landbridge::bootstrap::seed;
use landbridge::provider::driver::wire::{
    self, Console, Done, Failure, Kind, Launch, LeftBehind, Listed, Offered, Operation, Request, State, Wanted,
};
use serde::Serialize;

use crate::error::{LabError, LabResult};
use crate::lab::Lab;
use crate::uml::Uml;

/// By the launch's name.
pub(super) struct Guests {
    lab: Weak<Lab>,
    guests: Arc<Mutex<BTreeMap<String, Guest>>>,
}

struct Guest {
    host: String,
    launch: Launch,
    asked: Timestamp,
    machine: Booting,
}

/// How far it is.
enum Booting {
    Underway,
    Up(Uml),
    Failed(String),
}

impl Guest {
    fn state(&self) -> State {
        match &self.machine {
            Booting::Underway => State::Pending,
            Booting::Up(uml) if uml.is_up() => State::Running,
            Booting::Up(_) | Booting::Failed(_) => State::Gone,
        }
    }

    fn shown(&self) -> wire::Machine {
        wire::Machine {
            id: self.launch.name.clone(),
            launch: self.launch.clone(),
            state: self.state(),
            address: None,
            started: Some(self.asked),
            because: match &self.machine {
                Booting::Failed(why) => Some(why.clone()),
                Booting::Underway | Booting::Up(_) => None,
            },
        }
    }
}

impl Guests {
    pub(super) fn new(lab: Weak<Lab>) -> Self {
        Self { lab, guests: Arc::default() }
    }

    /// What the driver is to print: with exit status 0, or else with 1.
    pub(super) fn answer(&self, operation: &str, request: &str) -> Result<String, String> {
        let asked = Operation::ALL.into_iter().find(|each| each.as_str() == operation);
        let refused =
            |seen: String| json(&Failure { kind: Kind::Refused, left: LeftBehind::Nothing, seen, remedy: None });
        let asked = asked.ok_or_else(|| refused(format!("{operation:?} is no operation")))?;
        let request: Request = serde_json::from_str(request).map_err(|error| refused(error.to_string()))?;
        self.carry_out(asked, request).map_err(|error| refused(error.to_string()))
    }

    fn carry_out(&self, operation: Operation, request: Request) -> LabResult<String> {
        match operation {
            Operation::Offer => Ok(json(&offered())),
            Operation::List => Ok(json(&self.listed(&request.host))),
            Operation::Provision => {
                let launch = request.launch.ok_or_else(|| missing("launch"))?;
                let wanted = request.machine.ok_or_else(|| missing("machine"))?;
                Ok(json(&self.provision(request.host, launch, wanted)?))
            }
            Operation::Destroy => {
                self.destroy(&request.launch.ok_or_else(|| missing("launch"))?)?;
                Ok(json(&Done {}))
            }
            Operation::Console => {
                let launch = request.launch.ok_or_else(|| missing("launch"))?;
                Ok(json(&Console { console: self.console(&launch) }))
            }
            // Disks and seeds are in the machines' memory: there is never one without its machine.
            Operation::Remove => Ok(json(&Done {})),
        }
    }

    fn listed(&self, host: &str) -> Listed {
        let machines = self.lock().values().filter(|guest| guest.host == host).map(Guest::shown).collect();
        Listed { machines, leftovers: Vec::new() }
    }

    /// Boots in a thread of its own: a hypervisor has accepted a machine before it runs.
    fn provision(&self, host: String, launch: Launch, wanted: Wanted) -> LabResult<wire::Machine> {
        let lab = self.lab.upgrade().ok_or_else(|| plan("the lab is being taken down"))?;
        let mut guests = self.lock();
        if let Some(guest) = guests.get(&launch.name) {
            return Ok(guest.shown());
        }
        let on = lab.find(&host).ok_or_else(|| plan(&format!("the lab has no machine {host}")))?;
        let guest = Guest { host, launch: launch.clone(), asked: Timestamp::now(), machine: Booting::Underway };
        let shown = guest.shown();
        guests.insert(launch.name.clone(), guest);
        let all = Arc::clone(&self.guests);
        std::thread::spawn(move || {
            let machine = match boot(&lab, &on, &launch, &wanted) {
                Ok(uml) => Booting::Up(uml),
                Err(error) => Booting::Failed(error.to_string()),
            };
            settle(&lab, &mut all.lock().unwrap_or_else(PoisonError::into_inner), &launch.name, machine);
        });
        Ok(shown)
    }

    fn destroy(&self, launch: &Launch) -> LabResult<()> {
        let guest = self.lock().remove(&launch.name);
        let lab = self.lab.upgrade();
        match (guest.map(|guest| guest.machine), lab) {
            (Some(Booting::Up(uml)), Some(lab)) => lab.retire(&uml),
            _ => Ok(()),
        }
    }

    fn console(&self, launch: &Launch) -> Option<String> {
        match &self.lock().get(&launch.name)?.machine {
            Booting::Underway => None,
            Booting::Up(uml) => Some(uml.console()),
            Booting::Failed(why) => Some(why.clone()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Guest>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The machine is up, or is not; one that was destroyed meanwhile goes at once.
fn settle(lab: &Lab, guests: &mut BTreeMap<String, Guest>, name: &str, machine: Booting) {
    match (guests.get_mut(name), machine) {
        (Some(guest), machine) => guest.machine = machine,
        (None, Booting::Up(uml)) => drop(lab.retire(&uml)),
        (None, _) => {}
    }
}

fn boot(lab: &Lab, host: &crate::Machine, launch: &Launch, wanted: &Wanted) -> LabResult<Uml> {
    let image = seed::image(&wanted.seed);
    // Of all that the template says the lab has the memory; a kernel with the network's file systems needs some.
    let memory = u32::try_from(wanted.memory_mib.max(LEAST_MEMORY)).unwrap_or(u32::MAX);
    let machine = lab.uml(&launch.worker).plug(host, &wanted.bridge).mac(&wanted.mac).memory_mib(memory).disk(image);
    let uml = machine.boot()?;
    uml.start_golden()?;
    Ok(uml)
}

/// In MiB.
const LEAST_MEMORY: u64 = 192;

fn offered() -> Offered {
    Offered { cpu: 800, memory_mib: 8192, emulated: None, description: "user-mode-linux in the lab".into() }
}

fn json(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("answers are plain data")
}

fn missing(what: &str) -> LabError {
    plan(&format!("the request has no {what}"))
}

fn plan(message: &str) -> LabError {
    LabError::Plan { message: message.to_owned() }
}
