//! Mounted file systems, by mount(8), the helper of their type, and umount(8).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::directory::Before;
use crate::machine::command::Command;
use crate::machine::observe::World;
use crate::machine::step::{Context, Prepared, Step};
use crate::machine::{Conflict, Key, Mount, StepError};

/// Between two attempts to unmount what is busy.
const PAUSE: Duration = Duration::from_millis(100);
/// What the kernel gets to take leave of a server that answers, once a mount is off the tree.
const GOODBYE: Duration = Duration::from_secs(2);
/// Mounts belong to a namespace, and a thread may have one of its own.
const MOUNTINFO: &str = "/proc/thread-self/mountinfo";

/// A line of mountinfo, proc(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::machine) struct MountEntry {
    target: PathBuf,
    fstype: String,
    source: String,
}

/// A mount of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::machine) struct Record {
    source: String,
    #[serde(default)]
    also: Vec<String>,
    target: PathBuf,
    fstype: String,
    options: String,
    deadline: Duration,
    /// Directories that we made for it.
    directories: Before,
}

/// How to undo a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::machine) struct Inverse {
    before: Option<Record>,
    after: Option<Record>,
    /// As they stand before the step.
    directories: Before,
}

/// A step, from one record to the other. `after` has the directories of `before`, if there is one.
pub(in crate::machine) struct Change {
    before: Option<Record>,
    after: Option<Mount>,
}

/// Plans a mount that is wanted.
pub(in crate::machine) fn want(
    key: &Key,
    wanted: &Mount,
    record: Option<&Record>,
    world: &mut World,
) -> Result<Option<Step>, Conflict> {
    let mounted = world.mounts.iter().rfind(|entry| entry.target == wanted.target);
    let line = match (mounted, record) {
        (Some(entry), Some(record)) if record.is_seen_as(entry) => {
            if record.means(wanted) {
                return Ok(None);
            }
            format!("~ {key}: {record} => {}", shown(wanted))
        }
        (Some(entry), None) if entry.is(&wanted.fstype, names(&wanted.source, &wanted.also)) => return Ok(None),
        (Some(entry), _) => {
            let why = format!("{} ({}) is mounted there, and not by us; unmount it first", entry.source, entry.fstype);
            return Err(Conflict { key: key.clone(), why });
        }
        (None, _) => format!("+ {key}: {}", shown(wanted)),
    };
    world.mounts.retain(|entry| entry.target != wanted.target);
    world.mounts.push(MountEntry {
        target: wanted.target.clone(),
        fstype: wanted.fstype.clone(),
        source: wanted.source.clone(),
    });
    Ok(Some(Step::new(key, line, Change { before: record.cloned(), after: Some(wanted.clone()) })))
}

/// Plans the end of a mount.
pub(in crate::machine) fn unwant(key: &Key, record: &Record, world: &mut World) -> Step {
    world.mounts.retain(|entry| entry.target != record.target);
    Step::new(key, format!("- {key}"), Change { before: Some(record.clone()), after: None })
}

/// Every mount of our namespace, in the kernel's order.
pub(in crate::machine) fn mounted() -> Result<Vec<MountEntry>, StepError> {
    let text = fs::read_to_string(MOUNTINFO).map_err(StepError::io("reading", Path::new(MOUNTINFO)))?;
    Ok(text.lines().filter_map(MountEntry::parse).collect())
}

/// Whether anything is mounted there: what the kernel says, which asks no server.
pub(crate) fn is_mounted(target: &Path) -> Result<bool, StepError> {
    Ok(mounted()?.iter().any(|entry| entry.is_at(target)))
}

impl MountEntry {
    fn parse(line: &str) -> Option<Self> {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut file_system = file_system.split(' ');
        Some(Self {
            target: unescaped(mount.split(' ').nth(4)?).into(),
            fstype: file_system.next()?.into(),
            source: unescaped(file_system.next()?),
        })
    }

    /// Whether it is mounted there.
    pub(in crate::machine) fn is_at(&self, target: &Path) -> bool {
        self.target == target
    }

    fn is<'a>(&self, fstype: &str, mut sources: impl Iterator<Item = &'a String>) -> bool {
        // `nfs` with vers=4 is shown as `nfs4`.
        let same_type = self.fstype == fstype || (fstype == "nfs" && self.fstype == "nfs4");
        same_type && sources.any(|source| self.source == *source)
    }
}

/// All that a source goes by.
fn names<'a>(source: &'a String, also: &'a [String]) -> impl Iterator<Item = &'a String> {
    std::iter::once(source).chain(also)
}

/// The options that make a difference: `sec=sys` is what nfs(5) does anyhow, and no reason to mount anew under people's jobs.
fn telling(options: &str) -> impl Iterator<Item = &str> {
    options.split(',').filter(|option| *option != "sec=sys")
}

/// Space, tab, newline and backslash are written in octal.
fn unescaped(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .into_iter()
        .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

fn shown(mount: &Mount) -> String {
    describe(&mount.source, &mount.fstype, &mount.options)
}

fn describe(source: &str, fstype: &str, options: &str) -> String {
    let options = if options.is_empty() { String::new() } else { format!(", {options}") };
    format!("{source} ({fstype}{options})")
}

impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&describe(&self.source, &self.fstype, &self.options))
    }
}

impl Change {
    fn target(&self) -> &Path {
        match (&self.before, &self.after) {
            (Some(record), _) => &record.target,
            (None, Some(mount)) => &mount.target,
            (None, None) => Path::new("/"),
        }
    }

    /// The inverse, and what will be ours.
    pub(in crate::machine) fn prepare(&self) -> Result<Prepared<Inverse, Record>, StepError> {
        let before = match &self.before {
            Some(record) => record.is_mounted()?.then(|| record.clone()),
            None => None,
        };
        // While it is mounted its target is not looked at: the server may be away.
        let directories = match &before {
            Some(record) => record.directories.clone(),
            None => Before::look(self.target())?,
        };
        let made = self.before.as_ref().map_or(&directories, |record| &record.directories);
        let after = self.after.as_ref().map(|mount| Record {
            source: mount.source.clone(),
            also: mount.also.clone(),
            target: mount.target.clone(),
            fstype: mount.fstype.clone(),
            options: mount.options.clone(),
            deadline: mount.deadline,
            directories: made.clone(),
        });
        Ok(Prepared { inverse: Inverse { before, after: after.clone(), directories }, after })
    }

    /// Does it.
    pub(in crate::machine) async fn perform(&self, inverse: &Inverse, context: &Context) -> Result<(), StepError> {
        if let Some(record) = &self.before {
            record.unmount(context).await?;
        }
        match (&inverse.after, &self.before) {
            (Some(record), _) => {
                inverse.directories.make()?;
                record.mount(context).await
            }
            (None, Some(record)) => record.directories.restore_made(context),
            (None, None) => Ok(()),
        }
    }
}

impl Inverse {
    /// Brings back what was mounted before.
    pub(in crate::machine) async fn undo(&self, context: &Context) -> Result<(), StepError> {
        if let Some(record) = &self.after {
            record.unmount(context).await?;
        }
        match &self.before {
            Some(record) => {
                record.directories.make()?;
                record.mount(context).await
            }
            None => self.directories.restore_made(context),
        }
    }
}

impl Record {
    /// Where.
    pub(in crate::machine) fn target(&self) -> &Path {
        &self.target
    }

    fn means(&self, wanted: &Mount) -> bool {
        let same = self.fstype == wanted.fstype && names(&wanted.source, &wanted.also).any(|name| *name == self.source);
        same && telling(&self.options).eq(telling(&wanted.options))
    }

    /// Whether it is the topmost mount at its target.
    fn is_mounted(&self) -> Result<bool, StepError> {
        let top = mounted()?.into_iter().rfind(|entry| entry.target == self.target);
        Ok(top.is_some_and(|entry| self.is_seen_as(&entry)))
    }

    fn is_seen_as(&self, entry: &MountEntry) -> bool {
        entry.is(&self.fstype, names(&self.source, &self.also))
    }

    /// Takes it off the tree, whoever uses it: they keep it until they end.
    pub(in crate::machine) async fn let_go(&self, context: &Context) -> Result<(), StepError> {
        if self.is_mounted()? { self.detach(context, Some("--lazy")).await } else { Ok(()) }
    }

    async fn mount(&self, context: &Context) -> Result<(), StepError> {
        if self.is_mounted()? {
            return Ok(());
        }
        let target = self.target.display().to_string();
        let options = if self.options.is_empty() { "defaults" } else { &self.options };
        // All that mount(8) would do is start the type's helper with these words, where there is one.
        let helper = format!("/sbin/mount.{}", self.fstype);
        let argv = if Path::new(&helper).exists() {
            vec![helper.as_str(), &self.source, &target, "-o", options]
        } else {
            vec!["mount", "-t", &self.fstype, "-o", options, &self.source, &target]
        };
        Command::system(&context.place, "mount", &argv, self.deadline)
            .run()
            .await
            .map_err(|cause| StepError::new("mounting", format!("{} on {target}", self.source), cause))
    }

    /// Unmounts it if it is mounted: patiently, and past the deadline lazily, which is noted.
    async fn unmount(&self, context: &Context) -> Result<(), StepError> {
        let patient = async {
            while self.is_mounted()? {
                if self.detach(context, None).await.is_err() {
                    tokio::time::sleep(PAUSE).await;
                }
            }
            Ok(())
        };
        if let Ok(unmounted) = tokio::time::timeout(self.deadline, patient).await {
            return unmounted;
        }
        if !self.is_mounted()? {
            return Ok(());
        }
        let target = self.target.display();
        context
            .note(format!("{target} was still in use: unmounted lazily, programs that use it keep it until they end"));
        self.detach(context, Some("--lazy")).await
    }

    /// Takes it off the tree by umount(8), which looks at nothing on the way: with its server away a look would hang.
    /// What counts is the tree; the kernel's good-bye to the server comes after it, and is not waited for past
    /// [`GOODBYE`].
    async fn detach(&self, context: &Context, how: Option<&str>) -> Result<(), StepError> {
        let target = self.target.display().to_string();
        let argv: Vec<&str> = ["umount", "--no-canonicalize", "--internal-only"]
            .into_iter()
            .chain(how)
            .chain([target.as_str()])
            .collect();
        let command = Command::system(&context.place, "mount", &argv, self.deadline);
        let mut umount = Box::pin(command.run());
        let ended = loop {
            match tokio::time::timeout(PAUSE, &mut umount).await {
                Ok(ended) => break ended,
                Err(_) if self.is_mounted()? => {}
                Err(_) => break tokio::time::timeout(GOODBYE, umount).await.unwrap_or(Ok(())),
            }
        };
        match ended {
            Err(cause) if self.is_mounted()? => Err(StepError::new("unmounting", target, cause)),
            _ => Ok(()),
        }
    }
}
