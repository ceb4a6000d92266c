//! A hypervisor with a memory, for tests of whoever asks one: it can be slow, full, forgetful or dead. Clones share their state;
//! with a file it also survives the process that asks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{self, BoxFuture};
use jiff::Timestamp;
use landbridge_pki::NodeName;
use serde::{Deserialize, Serialize};

use super::{
    Accelerated, FailureKind, Launch, Left, Leftover, LeftoverKind, Machine, MachineId, MachineState, Offered, Order,
    Provider, ProviderError,
};

/// A double of a hypervisor or cloud.
#[derive(Clone, Debug, Default)]
pub struct FakeProvider {
    world: Arc<Mutex<World>>,
    habits: Arc<Mutex<Habits>>,
    file: Option<PathBuf>,
}

/// How it answers a wish for a machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// Makes it and says so.
    #[default]
    AtOnce,
    /// Makes it after half of this time and says so after all of it.
    Late(Duration),
    /// Makes it; the answer is lost on its way.
    Lost,
    /// Makes it; no answer ever comes.
    Never,
    /// Makes two of a first attempt, and speaks of one.
    Twice,
    /// Makes nothing: it has no room.
    Full,
    /// Makes nothing, and will not.
    Refused,
    /// Makes nothing now; later it may.
    Throttled,
}

/// How it behaves from now on.
#[derive(Clone, Debug)]
pub struct Habits {
    /// What it offers.
    pub offered: Offered,
    /// It takes this many machines, and says that it is full then.
    pub most: Option<usize>,
    /// A machine runs when it was looked for this often.
    pub boots_after: u32,
    /// How it answers.
    pub answer: Answer,
    /// How it answers for some.
    pub answer_for: BTreeMap<NodeName, Answer>,
    /// Every call fails with these words.
    pub outage: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct World {
    made: Vec<Made>,
    leftovers: Vec<Leftover>,
    next: u64,
    calls: Vec<String>,
    /// The most machines that it ever had at once.
    peak: usize,
}

/// A machine that it has made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Its own name for it.
    pub id: MachineId,
    /// Whose it is.
    pub launch: Launch,
    /// What it was told.
    pub user_data: String,
    /// What it wrote to its console.
    pub console: String,
    /// It runs when it was looked for so often.
    pub boots_in: u32,
    /// When it is taken back.
    pub reclaimed_at: Option<Timestamp>,
    /// It was switched off, and is still there.
    #[serde(default)]
    pub off: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            offered: Offered {
                cpu: 800,
                memory_mib: 8192,
                accelerated: Accelerated::NotOurs,
                description: "a double with a memory".into(),
            },
            most: None,
            boots_after: 1,
            answer: Answer::AtOnce,
            answer_for: BTreeMap::new(),
            outage: None,
        }
    }
}

impl FakeProvider {
    /// One that remembers in this file what it has made.
    pub fn kept_in(file: &Path) -> std::io::Result<Self> {
        let world = match std::fs::read(file) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => World::default(),
            Err(error) => return Err(error),
        };
        Ok(Self { world: Arc::new(Mutex::new(world)), file: Some(file.to_owned()), ..Self::default() })
    }

    /// Changes its habits.
    pub fn habits(&self, change: impl FnOnce(&mut Habits)) {
        change(&mut self.habits.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Every machine that it has now.
    pub fn made(&self) -> Vec<Made> {
        self.world().made.clone()
    }

    /// The machines that it has for a worker.
    pub fn made_for(&self, worker: &NodeName) -> Vec<Made> {
        self.world().made.iter().filter(|made| made.launch.worker == *worker).cloned().collect()
    }

    /// What it was asked so far, in order: `provision lb-ursa-w1-1-1` …
    pub fn calls(&self) -> Vec<String> {
        self.world().calls.clone()
    }

    /// The most machines that it ever had at once.
    pub fn peak(&self) -> usize {
        self.world().peak
    }

    /// Loses a worker's machines, as a host does that was switched off.
    pub fn lose(&self, worker: &NodeName) {
        self.change(|world| world.made.retain(|made| made.launch.worker != *worker));
    }

    /// Switches a worker's machines off: they are there, and run no more.
    pub fn switch_off(&self, worker: &NodeName) {
        self.change(|world| world.made.iter_mut().filter(|m| m.launch.worker == *worker).for_each(|m| m.off = true));
    }

    /// Gives notice to a worker's machines.
    pub fn reclaim(&self, worker: &NodeName, at: Timestamp) {
        self.change(|world| {
            world.made.iter_mut().filter(|m| m.launch.worker == *worker).for_each(|m| m.reclaimed_at = Some(at));
        });
    }

    /// Makes a machine that nobody has asked for.
    pub fn stray(&self, launch: Launch) {
        self.change(|world| world.make(launch, String::new(), 0));
    }

    /// Leaves something lying about.
    pub fn leave(&self, leftover: Leftover) {
        self.change(|world| world.leftovers.push(leftover));
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the world, and the file with it, in one step.
    fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.world();
        let changed = change(&mut world);
        if let Some(file) = &self.file {
            let next = file.with_extension("next");
            let text = serde_json::to_vec(&*world).expect("plain data");
            std::fs::write(&next, text).and_then(|()| std::fs::rename(&next, file)).expect("the double's own file");
        }
        changed
    }

    fn called(&self, operation: &'static str, object: &str) -> Result<Habits, ProviderError> {
        self.change(|world| world.calls.push(format!("{operation} {object}").trim_end().to_owned()));
        let habits = self.habits.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match &habits.outage {
            Some(words) => Err(failed(operation, object, words, FailureKind::Passing, Left::Unknown)),
            None => Ok(habits),
        }
    }

    async fn answer(&self, order: &Order) -> Result<Machine, ProviderError> {
        let (launch, name) = (&order.launch, order.launch.name());
        let habits = self.called("provision", &name)?;
        if let Some(made) = self.world().made.iter().find(|made| made.launch == *launch) {
            return Ok(made.machine());
        }
        let refuse = |words, kind| failed("provision", &name, words, kind, Left::Nothing);
        let answer = habits.answer_for.get(&launch.worker).copied().unwrap_or(habits.answer);
        let made = match answer {
            Answer::Full => return Err(refuse("no capacity", FailureKind::Full)),
            Answer::Refused => return Err(refuse("no such image", FailureKind::Refused)),
            Answer::Throttled => return Err(refuse("too many requests", FailureKind::Passing)),
            Answer::Late(time) => {
                // It goes on although nobody may listen any more.
                let (double, order) = (self.clone(), order.clone());
                let made = tokio::spawn(async move {
                    tokio::time::sleep(time / 2).await;
                    double.make(&order, answer, &habits)
                });
                made.await.expect("a task that doesn't panic")
            }
            _ => self.make(order, answer, &habits),
        };
        let made = made.ok_or_else(|| refuse("no capacity", FailureKind::Full))?;
        match answer {
            Answer::Late(time) => tokio::time::sleep(time / 2).await,
            Answer::Never => future::pending().await,
            Answer::Lost => return Err(failed("provision", &name, "lost", FailureKind::Passing, Left::Unknown)),
            _ => {}
        }
        Ok(made)
    }
}

impl FakeProvider {
    /// `None` when it is full.
    fn make(&self, order: &Order, answer: Answer, habits: &Habits) -> Option<Machine> {
        self.change(|world| {
            if let Some(made) = world.made.iter().find(|made| made.launch == order.launch) {
                return Some(made.machine());
            }
            if habits.most.is_some_and(|most| world.made.len() >= most) {
                return None;
            }
            let copies = if answer == Answer::Twice && order.launch.attempt == 1 { 2 } else { 1 };
            (0..copies)
                .for_each(|_| world.make(order.launch.clone(), order.seed.user_data.clone(), habits.boots_after));
            world.made.last().map(Made::machine)
        })
    }
}

impl World {
    fn make(&mut self, launch: Launch, user_data: String, boots_in: u32) {
        self.next += 1;
        let id = MachineId(format!("fake-{:04}", self.next));
        let console = format!("{} starts\n", launch.name());
        let (volume, worker) = (format!("{}-disk", id.0), launch.worker.clone());
        self.leftovers.push(Leftover {
            kind: LeftoverKind::Volume,
            id: volume,
            worker_id: Some(launch.worker_id),
            worker: Some(worker),
        });
        self.made.push(Made { id, launch, user_data, console, boots_in, reclaimed_at: None, off: false });
        self.peak = self.peak.max(self.made.len());
    }

    fn end(&mut self, launch: &Launch) {
        self.made.retain(|made| made.launch != *launch);
        let disks: Vec<String> = self.made.iter().map(|made| format!("{}-disk", made.id.0)).collect();
        self.leftovers.retain(|left| left.worker_id != Some(launch.worker_id) || disks.contains(&left.id));
    }
}

impl Made {
    fn machine(&self) -> Machine {
        Machine {
            id: self.id.clone(),
            launch: self.launch.clone(),
            state: match self.boots_in {
                _ if self.off => MachineState::Off,
                0 => MachineState::Running,
                _ => MachineState::Pending,
            },
            address: None,
            started: None,
            reclaimed_at: self.reclaimed_at,
            because: self.off.then(|| "somebody switched it off".into()),
        }
    }
}

impl Provider for FakeProvider {
    fn offered(&self) -> BoxFuture<'_, Result<Offered, ProviderError>> {
        Box::pin(async { self.called("offered", "").map(|habits| habits.offered) })
    }

    fn machines(&self) -> BoxFuture<'_, Result<Vec<Machine>, ProviderError>> {
        Box::pin(async {
            self.called("machines", "")?;
            Ok(self.change(|world| {
                let seen = world.made.iter().map(Made::machine).collect();
                world.made.iter_mut().for_each(|made| made.boots_in = made.boots_in.saturating_sub(1));
                seen
            }))
        })
    }

    fn provision<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Machine, ProviderError>> {
        Box::pin(self.answer(order))
    }

    fn destroy<'a>(&'a self, launch: &'a Launch) -> BoxFuture<'a, Result<(), ProviderError>> {
        Box::pin(async {
            self.called("destroy", &launch.name())?;
            self.change(|world| world.end(launch));
            Ok(())
        })
    }

    fn console<'a>(&'a self, launch: &'a Launch) -> BoxFuture<'a, Result<Option<String>, ProviderError>> {
        Box::pin(async {
            self.called("console", &launch.name())?;
            Ok(self.world().made.iter().find(|made| made.launch == *launch).map(|made| made.console.clone()))
        })
    }

    fn leftovers(&self) -> BoxFuture<'_, Result<Vec<Leftover>, ProviderError>> {
        Box::pin(async {
            self.called("leftovers", "")?;
            Ok(self.world().leftovers.clone())
        })
    }

    fn remove<'a>(&'a self, leftover: &'a Leftover) -> BoxFuture<'a, Result<(), ProviderError>> {
        Box::pin(async move {
            self.called("remove", &leftover.id)?;
            self.change(|world| world.leftovers.retain(|left| left != leftover));
            Ok(())
        })
    }
}

fn failed(operation: &'static str, object: &str, seen: &str, kind: FailureKind, left: Left) -> ProviderError {
    ProviderError {
        operation,
        object: object.into(),
        seen: seen.into(),
        remedy: "change the double's habits".into(),
        kind,
        left,
    }
}
