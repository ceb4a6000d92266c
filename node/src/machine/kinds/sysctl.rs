//! Kernel parameters, under `/proc/sys` (sysctl(8), proc(5)).

use std::fs;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};
use serde::{Deserialize, Serialize};

use crate::machine::observe::World;
use crate::machine::step::{Context, Prepared, Step};
use crate::machine::{Key, StepError, Sysctl, SysctlValue};

/// A parameter of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::machine) struct Record {
    name: String,
    value: String,
    /// As it was before us.
    stood: String,
}

/// How to undo a step: the value from before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::machine) struct Inverse {
    name: String,
    value: String,
}

/// A step.
pub(in crate::machine) enum Change {
    /// To the record's value; what is there now comes first.
    Set(String, Record),
    GiveBack(Record),
}

/// Plans a parameter that is wanted. One that has its value already is not ours.
pub(in crate::machine) fn want(key: &Key, wanted: &Sysctl, record: Option<&Record>, world: &mut World) -> Option<Step> {
    let found = world.sysctl(&wanted.name)?.to_owned();
    let (value, is_met) = match &wanted.value {
        SysctlValue::Exactly(value) => (value.clone(), found == *value),
        SysctlValue::AtLeast(least) => (least.to_string(), found.parse::<u64>().is_ok_and(|found| found >= *least)),
    };
    if is_met && record.is_none_or(|record| record.value == value) {
        return None;
    }
    world.set_sysctl(&wanted.name, &value);
    let line = format!("~ {key}: {found} => {value}");
    let stood = record.map_or(&found, |record| &record.stood).clone();
    let record = Record { name: wanted.name.clone(), value, stood };
    Some(Step::new(key, line, Change::Set(found, record)))
}

/// Plans the end of a parameter of ours.
pub(in crate::machine) fn unwant(key: &Key, record: &Record, world: &mut World) -> Step {
    let line = format!("~ {key}: {} => {}", record.value, record.stood);
    world.set_sysctl(&record.name, &record.stood);
    Step::new(key, line, Change::GiveBack(record.clone()))
}

/// What a parameter is; `None` where the kernel has no such, or we may not set it: in a container `/proc/sys` is read-only.
pub(in crate::machine) fn look(name: &str) -> Result<Option<String>, StepError> {
    let path = path(name);
    if access(&path, AccessFlags::W_OK).is_err() {
        return Ok(None);
    }
    fs::read_to_string(&path).map(|value| Some(plain(&value))).map_err(StepError::io("looking at", &path))
}

/// Several numbers in one parameter are separated by tabs when read, and by anything when written.
fn plain(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn path(name: &str) -> PathBuf {
    Path::new("/proc/sys").join(name.replace('.', "/"))
}

fn set(name: &str, value: &str) -> Result<(), StepError> {
    fs::write(path(name), value).map_err(StepError::io("setting", &path(name)))
}

impl Change {
    /// The inverse, and what will be ours.
    pub(in crate::machine) fn prepare(&self) -> Prepared<Inverse, Record> {
        let (name, value, after) = match self {
            Self::Set(found, record) => (&record.name, found, Some(record.clone())),
            Self::GiveBack(record) => (&record.name, &record.value, None),
        };
        Prepared { inverse: Inverse { name: name.clone(), value: value.clone() }, after }
    }

    /// Does it. What somebody else has set since is theirs and stays.
    pub(in crate::machine) fn perform(&self, context: &Context) -> Result<(), StepError> {
        match self {
            Self::Set(_, record) => set(&record.name, &record.value),
            Self::GiveBack(record) => match look(&record.name)? {
                Some(found) if found == record.value => set(&record.name, &record.stood),
                // As it was already: the machine has been started anew since.
                Some(found) if found == record.stood => Ok(()),
                Some(found) => {
                    context.note(format!("{} was set to {found} by somebody else, and stays so", record.name));
                    Ok(())
                }
                None => Ok(()),
            },
        }
    }
}

impl Inverse {
    /// Brings back the value from before the step.
    pub(in crate::machine) fn undo(&self) -> Result<(), StepError> {
        set(&self.name, &self.value)
    }
}
