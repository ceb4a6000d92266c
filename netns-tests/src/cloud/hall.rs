//! The machine hall: keeps the machines that run like the instances that are reported.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use landbridge::naming::Mac;

use super::api::{Api, Instance};
use super::body::Body;
use super::emulated::Emulated;
use super::{GOLDEN_AMI, STOCK_AMI, Shared, Site, State};
use crate::error::{LabError, LabResult};
use crate::net::Network;
use crate::{Lab, Uml};

/// Between two looks: the API has no event for "an instance is wanted".
const PAUSE: Duration = Duration::from_millis(100);

/// The one who keeps them alike. Dropped, it ends when its machines have started, and leaves them to the lab.
pub(super) struct Hall {
    stop: Option<Sender<()>>,
    keeper: Option<JoinHandle<()>>,
}

struct Keeper {
    lab: Arc<Lab>,
    api: Api,
    state: Shared,
    network: Network,
    prefix: String,
    reaches: String,
    /// Instances that have, or had, a machine.
    known: BTreeSet<String>,
    starting: Vec<JoinHandle<()>>,
}

/// What makes the machines like the instances.
#[derive(Debug, PartialEq, Eq)]
enum Step<'a> {
    Start(&'a Instance),
    End(&'a str),
    /// The machine died: the instance has to follow.
    Report(&'a str),
}

/// `machines` are the ids of the instances that have one, each with whether it is dead.
fn steps<'a>(instances: &'a [Instance], known: &BTreeSet<String>, machines: &'a [(String, bool)]) -> Vec<Step<'a>> {
    let wanted = |state: &str| state == "pending" || state == "running";
    let new = instances.iter().filter(|it| it.state == "running" && !known.contains(&it.id)).map(Step::Start);
    let state_of = |id: &str| instances.iter().find(|it| it.id == id).map_or("terminated", |it| it.state.as_str());
    let old = machines.iter().filter_map(|(id, dead)| match (wanted(state_of(id)), dead) {
        (false, _) => Some(Step::End(id)),
        (true, true) => Some(Step::Report(id)),
        (true, false) => None,
    });
    new.chain(old).collect()
}

impl Hall {
    pub(super) fn open(lab: &Arc<Lab>, site: &Site<'_>, api: &Api, state: &Shared) -> Self {
        let (stop, stopped) = channel();
        let mut keeper = Keeper {
            lab: Arc::clone(lab),
            api: api.clone(),
            state: state.clone(),
            network: site.network.clone(),
            prefix: site.subnet.split_once('/').map_or("24", |(_, prefix)| prefix).to_owned(),
            reaches: site.reaches.to_owned(),
            known: BTreeSet::new(),
            starting: Vec::new(),
        };
        let keep = move || {
            while stopped.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                if let Err(error) = keeper.look() {
                    keeper.state.change(|state| state.trouble.push(error.to_string()));
                }
            }
            keeper.starting.drain(..).for_each(|starting| drop(starting.join()));
        };
        Self { stop: Some(stop), keeper: Some(std::thread::spawn(keep)) }
    }
}

impl Drop for Hall {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(keeper) = self.keeper.take() {
            // A keeper that panicked has said so.
            let _ = keeper.join();
        }
    }
}

impl Keeper {
    fn look(&mut self) -> LabResult<()> {
        let instances = self.api.instances()?;
        let (due, machines) = self.state.change(|state| {
            state.instances.clone_from(&instances);
            let due = state.notices.extract_if(.., |_, at| *at <= Timestamp::now());
            let due: Vec<String> = due.map(|(id, _)| id).collect();
            (due, state.machines.iter().map(|(id, uml)| (id.clone(), !uml.is_up())).collect::<Vec<_>>())
        });
        for id in due {
            self.api.terminate(&id)?;
        }
        for step in steps(&instances, &self.known, &machines) {
            match step {
                Step::Start(instance) => {
                    self.known.insert(instance.id.clone());
                    self.start(instance);
                }
                Step::End(id) => self.end(id)?,
                Step::Report(id) => self.api.terminate(id)?,
            }
        }
        Ok(())
    }

    /// Boots a machine beside the others.
    fn start(&mut self, instance: &Instance) {
        let (lab, state, network) = (Arc::clone(&self.lab), self.state.clone(), self.network.clone());
        let (instance, prefix, reaches) = (instance.clone(), self.prefix.clone(), self.reaches.clone());
        self.starting.push(std::thread::spawn(move || {
            if instance.ami == STOCK_AMI {
                let started = Emulated::start(&lab, &network, &instance).map(Body::Emulated);
                return settle(&state, &instance.id, started);
            }
            let address = format!("{}/{prefix}", instance.address);
            let name = format!("ip-{}", instance.address.to_string().replace('.', "-"));
            let mac = Mac::of(instance.address).to_string();
            let machine = lab.uml(&name).mac(&mac).nic("eth0", &network, address.as_str()).route(&reaches, "eth0");
            let started = machine.route("169.254.169.254/32", "eth0").boot().and_then(|uml| begin(uml, &instance.ami));
            settle(&state, &instance.id, started.map(Body::Uml));
        }));
    }

    fn end(&self, id: &str) -> LabResult<()> {
        let taken = |state: &mut State| {
            let place = state.machines.iter().position(|(known, _)| known == id)?;
            Some(state.machines.remove(place).1)
        };
        // It is retired before anybody is told that it is gone.
        let body = self.state.lock().machines.iter().find(|(known, _)| known == id).map(|(_, body)| body.clone());
        let retired = body.map_or(Ok(()), |body| body.end(&self.lab));
        self.state.change(taken);
        retired
    }
}

/// It is there, or is not.
fn settle(state: &Shared, id: &str, started: LabResult<Body>) {
    state.change(|state| match started {
        Ok(body) => state.machines.push((id.to_owned(), body)),
        Err(error) => state.trouble.push(format!("{id}: {error}")),
    });
}

/// Lets the machine do what its image does.
fn begin(uml: Uml, ami: &str) -> Result<Uml, LabError> {
    if ami == GOLDEN_AMI {
        uml.start_golden()?;
    }
    Ok(uml)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_is_started_once_and_what_ended_ends() {
        let instances = [
            Instance::example("new", "running"),
            Instance::example("old", "running"),
            Instance::example("gone", "terminated"),
        ];
        let known = ["old", "gone"].map(String::from).into();
        let machines = [("old".to_owned(), false), ("gone".to_owned(), false)];
        assert_eq!(steps(&instances, &known, &machines), [Step::Start(&instances[0]), Step::End("gone")]);
    }

    #[test]
    fn a_dead_machine_is_reported_and_a_forgotten_one_ends() {
        let instances = [Instance::example("dead", "running"), Instance::example("coming", "pending")];
        let known = ["dead", "forgotten"].map(String::from).into();
        let machines = [("dead".to_owned(), true), ("forgotten".to_owned(), false)];
        assert_eq!(steps(&instances, &known, &machines), [Step::Report("dead"), Step::End("forgotten")]);
    }
}
