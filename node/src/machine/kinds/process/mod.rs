//! Programs that keep running.

mod gate;
mod instance;
mod launch;
mod occupant;
mod ready;

use serde::{Deserialize, Serialize};

pub use self::instance::schedule_as_usual;
pub(in crate::machine) use self::instance::{Instance, end};
use crate::machine::command::shown;
use crate::machine::observe::World;
use crate::machine::step::{Context, Prepared, Step};
use crate::machine::{Children, Key, Place, Process, StepError};

/// A process of ours: enough to start it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::machine) struct Record(Process);

/// How to undo a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::machine) struct Inverse {
    name: String,
    /// Whether the step starts it. What ran before is started again by [`Record::reinstate`], when its files are as before.
    starts: bool,
    #[serde(default)]
    children: Children,
}

/// A step.
pub(in crate::machine) enum Change {
    /// Starts it, after ending what runs under its name.
    Start(Process),
    /// SIGHUP.
    Reload(Process),
    Stop(Process),
}

/// Plans a process that is wanted.
pub(in crate::machine) fn want(key: &Key, wanted: &Process, record: Option<&Record>, world: &World) -> Option<Step> {
    let start = |line: String| Some(Step::new(key, line, Change::Start(wanted.clone())));
    let argv = shown(&wanted.argv);
    match (record, world.process(&wanted.name)) {
        (None, _) => start(format!("+ {key}: {argv}")),
        (Some(_), None) => start(format!("+ {key}: {argv} (it has ended)")),
        (Some(_), Some(instance)) => {
            if let Some(why) = instance.restart_because(wanted, world) {
                return start(format!("~ {key}: restart, {why}"));
            }
            let path = instance.reload_because(wanted, world)?;
            let line = format!("~ {key}: reload, {} changed", path.display());
            Some(Step::new(key, line, Change::Reload(wanted.clone())))
        }
    }
}

/// Plans the end of a process.
pub(in crate::machine) fn unwant(key: &Key, record: &Record) -> Step {
    Step::new(key, format!("- {key}"), Change::Stop(record.0.clone()))
}

impl Change {
    /// The inverse.
    pub(in crate::machine) fn prepare(&self) -> Prepared<Inverse, Record> {
        let (wanted, starts, after) = match self {
            Self::Start(wanted) => (wanted, true, true),
            Self::Reload(wanted) => (wanted, false, true),
            Self::Stop(wanted) => (wanted, false, false),
        };
        let inverse = Inverse { name: wanted.name.clone(), starts, children: wanted.children };
        Prepared { inverse, after: after.then(|| Record(wanted.clone())) }
    }

    /// Does it.
    pub(in crate::machine) async fn perform(&self, context: &Context) -> Result<(), StepError> {
        let place = &context.place;
        match self {
            Self::Start(wanted) => {
                instance::stop(place, &wanted.name, wanted.children).await?;
                launch::start(place, wanted).await
            }
            Self::Reload(wanted) => instance::reload(place, wanted),
            Self::Stop(wanted) => instance::stop_for_good(place, wanted, context.is_hurried()).await,
        }
    }
}

impl Inverse {
    /// Ends what the step started.
    pub(in crate::machine) async fn undo(&self, context: &Context) -> Result<(), StepError> {
        if self.starts { instance::stop(&context.place, &self.name, self.children).await } else { Ok(()) }
    }
}

impl Record {
    /// The process's name.
    pub(in crate::machine) fn name(&self) -> &str {
        &self.0.name
    }

    /// The step that starts it again, or tells it of files that are as before; `None` when it runs as it should.
    pub(in crate::machine) fn reinstate(&self, key: &Key, place: &Place) -> Result<Option<Step>, StepError> {
        Ok(want(key, &self.0, Some(self), &World::of_process(place, &self.0)?))
    }
}
