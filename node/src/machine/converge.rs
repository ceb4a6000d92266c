//! From what is to what should be.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use landbridge_fabric::EntryId;

use super::error::UndoError;
use super::exits::Exits;
use super::kinds::{block, process};
use super::ledger::{Entry, Ledger};
use super::lock::Lock;
use super::observe::World;
use super::plan::plan;
use super::sockets::Sockets;
use super::step::{Context, Record, Step};
use super::{
    ConvergeError, Key, LedgerError, MachineSpec, OpenError, Place, Plan, PlanError, StepError, crash, journal,
};

/// A machine that this process alone may change.
#[derive(Debug)]
pub struct Machine {
    context: Context,
    ledger: Mutex<Ledger>,
    _lock: Lock,
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// A line each, in order; empty when everything was as it should be.
    pub done: Vec<String>,
    /// What a person should know although nothing failed, for example what was left in place and why.
    pub notes: Vec<String>,
    /// From the first look to the last.
    pub took: Duration,
}

/// A machine of which several parts are made at the same time. Each part's steps are undone by themselves when one fails.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a>(&'a Machine);

/// Whoever wants to see steps while they are done. Gets a step's line just before it begins.
pub type Progress<'a> = &'a mut (dyn FnMut(&str) + Send);

/// Whether a spec is all that is wanted.
#[derive(Clone, Copy)]
enum Scope {
    /// What it doesn't name goes.
    Whole,
    /// What it doesn't name stays.
    Part,
}

impl Machine {
    /// Takes the lock, reads the ledger, and undoes the steps that a crash interrupted.
    pub async fn open(place: Place) -> Result<Self, OpenError> {
        place.make().map_err(OpenError::Place)?;
        let lock = Lock::take(&place.lock()).await?;
        let ledger = Ledger::open(&place.ledger(), place.kept()).await?;
        let network = journal::open(&place.network()).await.map_err(LedgerError::from)?;
        let mut machine = Self { context: Context::new(place, network), ledger: ledger.into(), _lock: lock };
        machine.recover().await?;
        Ok(machine)
    }

    /// Whose machine it is, and where its ledger is.
    pub fn place(&self) -> &Place {
        &self.context.place
    }

    /// Whether anything on the machine is ours.
    pub fn is_bare(&self) -> bool {
        self.ledger().made().is_empty() && self.ledger().interrupted().is_empty()
    }

    /// What [`Machine::converge`] would do. Changes nothing.
    pub async fn plan(&self, spec: &MachineSpec) -> Result<Plan, PlanError> {
        self.plan_for(spec, Scope::Whole).await
    }

    /// Makes the machine as `spec` says, and looks again whether it is so. A step that fails undoes those before it.
    pub async fn converge(&mut self, spec: &MachineSpec) -> Result<Report, ConvergeError> {
        self.carry_out(spec, Scope::Whole, &mut |_| {}).await
    }

    /// [`Machine::converge`], telling `progress` of each step.
    pub async fn converge_with(&mut self, spec: &MachineSpec, progress: Progress<'_>) -> Result<Report, ConvergeError> {
        self.carry_out(spec, Scope::Whole, progress).await
    }

    /// Makes what `spec` says and leaves everything else of ours as it is: for a machine whose whole wish is carried out
    /// part after part, each proved before the next. [`Machine::converge`] with the whole wish comes last.
    pub async fn extend(&mut self, part: &MachineSpec) -> Result<Report, ConvergeError> {
        self.carry_out(part, Scope::Part, &mut |_| {}).await
    }

    /// The machine, for whoever makes several parts at the same time. No part may name what another one does.
    pub async fn beside(&mut self) -> Result<Beside<'_>, ConvergeError> {
        self.recover().await?;
        Ok(Beside(self))
    }

    /// Undoes everything of ours, by the ledger alone. Programs are not given long to end: what they would save goes too.
    pub async fn tear_down(&mut self) -> Result<Report, ConvergeError> {
        self.tear_down_with(&mut |_| {}).await
    }

    /// [`Machine::tear_down`], telling `progress` of each step.
    pub async fn tear_down_with(&mut self, progress: Progress<'_>) -> Result<Report, ConvergeError> {
        self.context.hurry(true);
        let report = self.converge_with(&MachineSpec::default(), progress).await;
        self.context.hurry(false);
        report
    }

    /// Removes the engine's own files from a machine on which nothing is ours any more; the logs of programs stay.
    pub fn vacate(self) -> Result<(), StepError> {
        let place = &self.context.place;
        if let Some(made) = self.ledger().made().first() {
            let why = format!("{} is still ours; tear down first", made.key);
            return Err(StepError::refused("forgetting the machine of", place.owner.to_string(), why));
        }
        place.remove().map_err(StepError::io("removing", &place.state))
    }

    /// Undoes the steps that a crash (or a caller that stopped waiting) interrupted, newest first.
    pub async fn recover(&mut self) -> Result<(), UndoError> {
        let interrupted = self.ledger().interrupted();
        let mut errors = vec![];
        for (id, step) in interrupted.into_iter().rev() {
            tracing::info!(step = %step.key, "undoing a step that was interrupted");
            errors.extend(self.undo(id, &step).await.err());
        }
        errors.extend(self.settle().err());
        if errors.is_empty() { Ok(()) } else { Err(UndoError(errors)) }
    }

    /// Hears of the end of the processes that run now.
    pub fn exits(&self) -> Result<Exits, StepError> {
        let made = self.ledger().made();
        let names = made.iter().filter_map(|made| match &made.record {
            Record::Process(process) => Some(process.name()),
            _ => None,
        });
        Exits::of(&self.context.place, names)
    }

    /// The sockets of a process of ours; `None` where it doesn't run.
    pub fn sockets(&self, process: &str) -> Result<Option<Sockets>, StepError> {
        Sockets::of(&self.context.place, process)
    }

    async fn carry_out(
        &mut self,
        spec: &MachineSpec,
        scope: Scope,
        progress: Progress<'_>,
    ) -> Result<Report, ConvergeError> {
        self.recover().await?;
        self.work(spec, scope, progress).await
    }

    async fn work(&self, spec: &MachineSpec, scope: Scope, progress: Progress<'_>) -> Result<Report, ConvergeError> {
        let start = Instant::now();
        let plan = self.plan_for(spec, scope).await?;
        let done = plan.lines().map(String::from).collect();
        if !plan.is_empty() {
            self.apply(&plan, progress).await?;
            let drift = self.plan_for(spec, scope).await?;
            if !drift.is_empty() {
                return Err(ConvergeError::Drift(drift));
            }
        }
        Ok(Report { done, notes: self.context.take_notes(), took: start.elapsed() })
    }

    async fn plan_for(&self, spec: &MachineSpec, scope: Scope) -> Result<Plan, PlanError> {
        let all = self.ledger().made();
        let created = block::created(&all);
        let made = match scope {
            Scope::Whole => all,
            Scope::Part => {
                all.into_iter().filter(|made| spec.resources.iter().any(|r| Key::of(r) == made.key)).collect()
            }
        };
        let mut world = World::observe(&self.context, spec, &made).await?;
        world.created = created;
        plan(&self.context.place.owner, spec, &made, world)
    }

    async fn apply(&self, plan: &Plan, progress: Progress<'_>) -> Result<(), ConvergeError> {
        let mut begun = vec![];
        for step in &plan.steps {
            progress(step.line());
            if let Err(cause) = self.perform(step, &mut begun).await {
                let undo = self.roll_back(begun).await;
                return Err(ConvergeError::Step { step: step.line().into(), cause, undo });
            }
        }
        Ok(self.ledger().settle()?)
    }

    /// Keeps, journals, does, records.
    async fn perform(&self, step: &Step, begun: &mut Vec<(EntryId, Entry)>) -> Result<(), StepError> {
        tracing::debug!(step = step.line(), "carrying out");
        let prepared = step.change.prepare(&self.context)?;
        let journaled = |error: LedgerError| StepError::new("journaling", step.key.to_string(), error);
        let (id, entry) = self.ledger().begin(&step.key, prepared.inverse, prepared.after).map_err(journaled)?;
        begun.push((id, entry.clone()));
        crash::point();
        step.change.perform(&entry.inverse, &self.context).await?;
        crash::point();
        self.ledger().done(id).map_err(journaled)
    }

    /// Undoes in reverse, going on past failures, and then sets to work again what ran before.
    async fn roll_back(&self, begun: Vec<(EntryId, Entry)>) -> Vec<StepError> {
        let mut errors = vec![];
        for (id, step) in begun.iter().rev() {
            errors.extend(self.undo(*id, step).await.err());
        }
        let all = self.ledger().made();
        for made in all {
            if begun.iter().any(|(_, step)| step.key == made.key) {
                errors.extend(self.reinstate(&made.key, &made.record).await.err());
            }
        }
        errors.extend(self.settle().err());
        errors
    }

    async fn undo(&self, id: EntryId, step: &Entry) -> Result<(), StepError> {
        let journaled = |error: LedgerError| StepError::new("journaling the undo of", step.key.to_string(), error);
        let (undo, _) = self.ledger().begin_undo(step).map_err(journaled)?;
        crash::point();
        step.inverse.undo(&self.context).await?;
        crash::point();
        self.ledger().done(undo).map_err(journaled)?;
        self.ledger().forget(id).map_err(journaled)
    }

    async fn reinstate(&self, key: &Key, record: &Record) -> Result<(), StepError> {
        match record.reinstate(key, &self.context.place)? {
            Some(step) => self.perform(&step, &mut vec![]).await,
            None => Ok(()),
        }
    }

    fn settle(&self) -> Result<(), StepError> {
        self.ledger().settle().map_err(|error| StepError::new("settling", "the ledger", error))
    }

    /// Held for as long as one entry takes, never while a step is done.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Beside<'_> {
    /// [`Machine::extend`], beside others.
    pub async fn extend(&self, part: &MachineSpec) -> Result<Report, ConvergeError> {
        self.0.work(part, Scope::Part, &mut |_| {}).await
    }

    /// Ends a program of ours, so that the part that wants it starts it anew.
    pub async fn end(&self, process: &str) -> Result<(), StepError> {
        process::end(&self.0.context.place, process).await
    }

    /// Takes a mount of ours off the tree, so that the part that wants it mounts it anew; programs that use it keep it until they end.
    pub async fn let_go(&self, target: &Path) -> Result<(), StepError> {
        let made = self.0.ledger().made();
        let mount = made.into_iter().find_map(|made| match made.record {
            Record::Mount(mount) if mount.target() == target => Some(mount),
            _ => None,
        });
        match mount {
            Some(mount) => mount.let_go(&self.0.context).await,
            None => Ok(()),
        }
    }

    /// [`Machine::exits`].
    pub fn exits(&self) -> Result<Exits, StepError> {
        self.0.exits()
    }
}
