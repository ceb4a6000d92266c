//! Directories.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::machine::observe::{Node, World};
use crate::machine::passwd::User;
use crate::machine::step::{self, Context, Prepared, Step};
use crate::machine::{Conflict, Directory, Key, StepError};

/// What stood at a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Stood {
    Nothing,
    Directory { mode: u32, uid: u32, gid: u32 },
}

/// What stood where a directory of ours is, from the top down: in the ledger before us, as an inverse before the step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::machine) struct Before {
    path: PathBuf,
    stood: Vec<(PathBuf, Stood)>,
}

/// A step.
pub(in crate::machine) enum Change {
    Make { path: PathBuf, mode: u32, user: User, record: Option<Before> },
    GiveBack(Before),
}

/// Plans a directory that is wanted.
pub(in crate::machine) fn want(
    key: &Key,
    wanted: &Directory,
    record: Option<&Before>,
    world: &mut World,
) -> Result<Option<Step>, Conflict> {
    let conflict = |why: String| Conflict { key: key.clone(), why };
    let user = world.passwd.user(wanted.owner.as_deref()).map_err(conflict)?;
    let line = match world.node(&wanted.path) {
        Node::Missing => format!("+ {key} ({:04o})", wanted.mode),
        node => match node.through() {
            Node::Directory { mode, uid } if (*mode, *uid) == (wanted.mode, user.uid) => return Ok(None),
            Node::Directory { mode, uid } => {
                format!("~ {key}: {}", step::attributes((*mode, *uid), (wanted.mode, user.uid)))
            }
            _ => return Err(conflict("something that is no directory stands there; move it away".into())),
        },
    };
    world.set_node(&wanted.path, Node::Directory { mode: wanted.mode, uid: user.uid });
    let change = Change::Make { path: wanted.path.clone(), mode: wanted.mode, user, record: record.cloned() };
    Ok(Some(Step::new(key, line, change)))
}

/// Plans the end of a directory.
pub(in crate::machine) fn unwant(key: &Key, record: &Before, world: &mut World) -> Step {
    for (path, stood) in &record.stood {
        match stood {
            Stood::Nothing => world.set_node(path, Node::Missing),
            Stood::Directory { mode, uid, .. } => {
                world.set_node(path, Node::Directory { mode: *mode, uid: *uid });
            }
        }
    }
    Step::new(key, format!("- {key}"), Change::GiveBack(record.clone()))
}

impl Change {
    /// What is there now, and what will be ours.
    pub(in crate::machine) fn prepare(&self) -> Result<Prepared<Before, Before>, StepError> {
        Ok(match self {
            Self::Make { path, record, .. } => {
                let inverse = Before::look(path)?;
                Prepared { after: Some(record.clone().unwrap_or_else(|| inverse.clone())), inverse }
            }
            Self::GiveBack(record) => Prepared { inverse: record.again()?, after: None },
        })
    }

    /// Does it.
    pub(in crate::machine) fn perform(&self, before: &Before, context: &Context) -> Result<(), StepError> {
        match self {
            Self::Make { path, mode, user, .. } => {
                let new = before.stood.iter().filter(|(_, stood)| *stood == Stood::Nothing);
                for (made, _) in new {
                    let mode = if made == path { *mode } else { 0o755 };
                    make(made, mode).map_err(StepError::io("making the directory", made))?;
                }
                set(path, *mode, user.uid, user.gid).map_err(StepError::io("setting mode and owner of", path))
            }
            Self::GiveBack(record) => record.restore(context),
        }
    }
}

impl Before {
    /// Looks at `path` and its missing parents.
    pub(in crate::machine) fn look(path: &Path) -> Result<Self, StepError> {
        let mut stood = vec![];
        for ancestor in path.ancestors() {
            match look(ancestor)? {
                Stood::Nothing => stood.push((ancestor.into(), Stood::Nothing)),
                directory if ancestor == path => {
                    stood.push((ancestor.into(), directory));
                    break;
                }
                Stood::Directory { .. } => break,
            }
        }
        stood.reverse();
        Ok(Self { path: path.into(), stood })
    }

    fn again(&self) -> Result<Self, StepError> {
        let stood = self.stood.iter().map(|(path, _)| Ok((path.clone(), look(path)?))).collect::<Result<_, _>>()?;
        Ok(Self { path: self.path.clone(), stood })
    }

    /// Makes what is missing, from the top down.
    pub(in crate::machine) fn make(&self) -> Result<(), StepError> {
        for (path, _) in self.stood.iter().filter(|(_, stood)| *stood == Stood::Nothing) {
            make(path, 0o755).map_err(StepError::io("making the directory", path))?;
        }
        Ok(())
    }

    /// Brings back what stood there. Twice is once.
    pub(in crate::machine) fn restore(&self, context: &Context) -> Result<(), StepError> {
        for (path, stood) in &self.stood {
            if let Stood::Directory { mode, uid, gid } = stood {
                make(path, *mode).map_err(StepError::io("making the directory", path))?;
                set(path, *mode, *uid, *gid).map_err(StepError::io("setting mode and owner of", path))?;
            }
        }
        self.restore_made(context)
    }

    /// Removes the directories that were not there, and changes no other.
    pub(in crate::machine) fn restore_made(&self, context: &Context) -> Result<(), StepError> {
        let made = self.stood.iter().rev().filter(|(_, stood)| *stood == Stood::Nothing);
        made.map(|(path, _)| path).try_for_each(|path| remove(path, context))
    }
}

fn look(path: &Path) -> Result<Stood, StepError> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Stood::Nothing),
        Err(error) => Err(StepError::io("looking at", path)(error)),
        Ok(found) => Ok(Stood::Directory { mode: found.mode() & 0o7777, uid: found.uid(), gid: found.gid() }),
    }
}

fn make(path: &Path, mode: u32) -> io::Result<()> {
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        result => result,
    }
}

fn set(path: &Path, mode: u32, uid: u32, gid: u32) -> io::Result<()> {
    let found = fs::metadata(path)?;
    if found.uid() != uid {
        chown(path, Some(uid), Some(gid))?;
    }
    if fs::metadata(path)?.mode() & 0o7777 != mode {
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    Ok(())
}

fn remove(path: &Path, context: &Context) -> Result<(), StepError> {
    match fs::remove_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {
            context.note(format!("left {}: it holds {}", path.display(), some_names(path)));
            Ok(())
        }
        result => result.map_err(StepError::io("removing the directory", path)),
    }
}

fn some_names(path: &Path) -> String {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().display().to_string()).collect();
    names.sort();
    match names.len() {
        0..=3 => names.join(", "),
        more => format!("{} and {} more", names[..3].join(", "), more - 3),
    }
}
