//! The difference between what a machine should have and what it has, as steps. Pure.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use super::kinds::{block, directory, file, mount, network, process, residue, run, sysctl};
use super::ledger::Made;
use super::observe::World;
use super::step::{Record, Step};
use super::{Conflict, Key, MachineSpec, Owner, PlanError, Resource};

/// What has to be done, in order. Displays as lines that begin with `+`, `~` or `-`.
pub struct Plan {
    pub(super) steps: Vec<Step>,
}

impl Plan {
    /// Whether everything is as it should be.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// One line a step.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(Step::line)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.steps.iter().flat_map(|step| &step.lines);
        lines.try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.lines()).finish()
    }
}

/// Compares. Resources of ours that are no longer wanted go first, in the reverse order of their making; then come the
/// wanted ones in their order. Each step is planned for the world as the steps before it leave it.
pub(super) fn plan(owner: &Owner, spec: &MachineSpec, made: &[Made], mut world: World) -> Result<Plan, PlanError> {
    let wanted: Vec<(Key, &Resource)> = spec.resources.iter().map(|resource| (Key::of(resource), resource)).collect();
    check(&wanted)?;
    let (mut steps, mut conflicts) = (vec![], vec![]);
    for made in made.iter().rev().filter(|made| wanted.iter().all(|(key, _)| *key != made.key)) {
        match unwant(made, &mut world) {
            Ok(step) => steps.push(step),
            Err(conflict) => conflicts.push(conflict),
        }
    }
    for (key, resource) in &wanted {
        let record = made.iter().find(|made| made.key == *key).map(|made| &made.record);
        match want(owner, key, resource, record, &mut world) {
            Ok(step) => steps.extend(step),
            Err(conflict) => conflicts.push(conflict),
        }
    }
    if conflicts.is_empty() { Ok(Plan { steps }) } else { Err(PlanError::Conflicts(conflicts)) }
}

macro_rules! record {
    ($record:expr, $kind:ident) => {
        match $record {
            Some(Record::$kind(record)) => Some(record),
            _ => None,
        }
    };
}

fn want(
    owner: &Owner,
    key: &Key,
    resource: &Resource,
    record: Option<&Record>,
    world: &mut World,
) -> Result<Option<Step>, Conflict> {
    match resource {
        Resource::Network(network) => network::want(key, network, record!(record, Network), world.network.as_ref()),
        Resource::Directory(directory) => directory::want(key, directory, record!(record, Directory), world),
        Resource::File(file) => file::want(key, file, record!(record, File), world),
        Resource::Block(block) => {
            block::want(key, block, format!("{owner}:{}", block.name), record!(record, Block), world)
        }
        Resource::Run(run) => Ok(run::want(key, run, record!(record, Run), world)),
        Resource::Process(process) => Ok(process::want(key, process, record!(record, Process), world)),
        Resource::Mount(mount) => mount::want(key, mount, record!(record, Mount), world),
        Resource::Residue(residue) => Ok(residue::want(key, residue, record!(record, Residue), world)),
        Resource::Sysctl(sysctl) => Ok(sysctl::want(key, sysctl, record!(record, Sysctl), world)),
    }
}

fn unwant(made: &Made, world: &mut World) -> Result<Step, Conflict> {
    let key = &made.key;
    Ok(match &made.record {
        Record::Network(record) => network::unwant(key, record, world.network.as_ref())?,
        Record::Directory(record) => directory::unwant(key, record, world),
        Record::File(record) => file::unwant(key, record, world),
        Record::Block(record) => block::unwant(key, record, world)?,
        Record::Run(record) => run::unwant(key, record, world),
        Record::Process(record) => process::unwant(key, record),
        Record::Mount(record) => mount::unwant(key, record, world),
        Record::Residue(record) => residue::unwant(key, record, world),
        Record::Sysctl(record) => sysctl::unwant(key, record, world),
    })
}

fn check(wanted: &[(Key, &Resource)]) -> Result<(), PlanError> {
    let mut seen = BTreeSet::new();
    let conflicts: Vec<Conflict> = wanted
        .iter()
        .filter_map(|(key, resource)| {
            let why = if seen.insert(key) { malformed(resource)? } else { "it is wanted twice".into() };
            Some(Conflict { key: key.clone(), why })
        })
        .collect();
    if conflicts.is_empty() { Ok(()) } else { Err(PlanError::Conflicts(conflicts)) }
}

fn malformed(resource: &Resource) -> Option<String> {
    let path = |path: &Path| (!path.is_absolute()).then(|| format!("{} is not absolute", path.display()));
    let name = |name: &str| {
        let bad = name.is_empty() || name.starts_with('.') || name.contains(|c: char| c == '/' || c.is_whitespace());
        bad.then(|| format!("{name:?} can't name a file or a marker line: no slash, space or leading dot"))
    };
    let program = |argv: &[String]| argv.is_empty().then(|| "it has no program".to_owned());
    match resource {
        Resource::Network(_) => None,
        Resource::Directory(directory) => path(&directory.path),
        Resource::File(file) => path(&file.path),
        Resource::Residue(residue) => path(&residue.path),
        Resource::Block(block) => name(&block.name).or_else(|| path(&block.path)),
        Resource::Run(run) => {
            name(&run.name).or_else(|| program(&run.argv)).or_else(|| run.outputs.iter().find_map(|p| path(p)))
        }
        Resource::Process(process) => name(&process.name).or_else(|| program(&process.argv)),
        Resource::Mount(mount) => path(&mount.target),
        Resource::Sysctl(sysctl) => name(&sysctl.name),
    }
}
