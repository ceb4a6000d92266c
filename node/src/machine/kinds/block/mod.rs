//! Blocks of lines in files of others.

#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::text::Marker;
use crate::machine::atomic::{self, Attributes};
use crate::machine::digest::Digest;
use crate::machine::kept::{self, Snapshot};
use crate::machine::ledger::Made;
use crate::machine::observe::{FileNode, Node, World};
use crate::machine::step::{self, Context, Prepared, Step};
use crate::machine::{Block, Conflict, Key, StepError, diff};

/// A file that somebody else's eyes should be able to read, as such files are.
const NEW: Attributes = Attributes { mode: 0o644, uid: 0, gid: 0, modified: None };

/// A block of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::machine) struct Record {
    path: PathBuf,
    tag: String,
    /// The file exists only because of us.
    created: bool,
}

/// How to undo a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::machine) struct Inverse {
    path: PathBuf,
    tag: String,
    stood: Snapshot,
    /// What we write, by its name in the kept directory; `None`: nothing stands there afterwards.
    writes: Option<Digest>,
    /// Whether the block was there before the step.
    had: bool,
}

/// A step: the whole text is decided by the plan.
pub(in crate::machine) struct Change {
    path: PathBuf,
    tag: String,
    had: bool,
    /// The text that the plan was made for.
    found: Option<Digest>,
    /// `None`: the file goes.
    content: Option<Vec<u8>>,
    record: Option<Record>,
}

/// Plans a block that is wanted.
pub(in crate::machine) fn want(
    key: &Key,
    wanted: &Block,
    tag: String,
    record: Option<&Record>,
    world: &mut World,
) -> Result<Option<Step>, Conflict> {
    let conflict = |why: String| Conflict { key: key.clone(), why };
    let found = text_of(world.node(&wanted.path)).map_err(conflict)?;
    let old = found.unwrap_or_default();
    let marker = Marker::new(&tag);
    let had = text::has(old, &marker).map_err(|damaged| conflict(damaged.to_string()))?;
    let new = text::set(old, &marker, wanted).map_err(|damaged| conflict(damaged.to_string()))?;
    if record.is_some() && found == Some(&new) {
        return Ok(None);
    }
    let sign = if had { '~' } else { '+' };
    let lines = described(format!("{sign} {key}"), world.node(&wanted.path), old, &new);
    let created = found.is_none() || world.created.contains(&wanted.path);
    let change = Change {
        path: wanted.path.clone(),
        had,
        found: found.map(Digest::of),
        content: Some(new.clone()),
        record: Some(Record { path: wanted.path.clone(), tag: tag.clone(), created }),
        tag,
    };
    if created {
        world.created.insert(wanted.path.clone());
    }
    set_text(world, &wanted.path, Some(new));
    Ok(Some(Step::with_details(key, lines, change)))
}

/// Plans the end of a block.
pub(in crate::machine) fn unwant(key: &Key, record: &Record, world: &mut World) -> Result<Step, Conflict> {
    let conflict = |why: String| Conflict { key: key.clone(), why };
    let found = text_of(world.node(&record.path)).map_err(conflict)?;
    let old = found.unwrap_or_default();
    let marker = Marker::new(&record.tag);
    let had = text::has(old, &marker).map_err(|damaged| conflict(damaged.to_string()))?;
    let new = text::unset(old, &marker).map_err(|damaged| conflict(damaged.to_string()))?;
    let gone = found.is_none() || (record.created && new.is_empty());
    let lines = described(format!("- {key}"), world.node(&record.path), old, &new);
    let content = (!gone).then_some(new);
    let change = Change {
        path: record.path.clone(),
        tag: record.tag.clone(),
        had,
        found: found.map(Digest::of),
        content: content.clone(),
        record: None,
    };
    set_text(world, &record.path, content);
    Ok(Step::with_details(key, lines, change))
}

fn text_of(node: &Node) -> Result<Option<&[u8]>, String> {
    match node {
        Node::Link(behind) if **behind == Node::Missing => Err("it is a link to nothing; repair it".into()),
        node => match node.through() {
            Node::Missing => Ok(None),
            Node::File(FileNode { content: Some(content), .. }) => Ok(Some(content)),
            Node::File(_) => Err("the file is being given back just now; try again".into()),
            _ => Err("something that is no file stands there; move it away".into()),
        },
    }
}

fn set_text(world: &mut World, path: &Path, content: Option<Vec<u8>>) {
    let node = content.map_or(Node::Missing, |content| {
        let (mode, uid) = match world.node(path).through() {
            Node::File(file) => (file.mode, file.uid),
            _ => (NEW.mode, NEW.uid),
        };
        Node::File(FileNode { digest: Digest::of(&content), mode, uid, content: Some(content) })
    });
    world.set_node(path, node);
}

/// The difference behind the line, when everybody may read the file.
fn described(line: String, node: &Node, old: &[u8], new: &[u8]) -> Vec<String> {
    let public = !matches!(node.through(), Node::File(file) if file.mode & 0o004 == 0);
    let details = match (str::from_utf8(old), str::from_utf8(new)) {
        (Ok(old), Ok(new)) if public => diff::lines(old, new),
        _ => vec![],
    };
    [vec![line], details].concat()
}

impl Change {
    /// Keeps the file as it is, and as it will be.
    pub(in crate::machine) fn prepare(&self, context: &Context) -> Result<Prepared<Inverse, Record>, StepError> {
        let path = resolved(&self.path);
        let failed = || StepError::io("keeping", &path);
        let stood = Snapshot::take(&path, &context.place.kept()).map_err(failed())?;
        if stood.kept() != self.found.as_ref() {
            let why = "somebody else has just changed it; run this again";
            return Err(StepError::refused("editing", path.display().to_string(), why));
        }
        let keep = |content: &Vec<u8>| kept::keep(content, &context.place.kept());
        let writes = self.content.as_ref().map(keep).transpose().map_err(failed())?;
        let inverse = Inverse { path, tag: self.tag.clone(), stood, writes, had: self.had };
        Ok(Prepared { inverse, after: self.record.clone() })
    }

    /// Does it.
    pub(in crate::machine) fn perform(&self, inverse: &Inverse) -> Result<(), StepError> {
        write(&inverse.path, self.content.as_deref()).map_err(StepError::io("editing", &inverse.path))
    }
}

impl Inverse {
    /// Brings back the text as it was before the step; if somebody else has changed the file since, only our part of it.
    pub(in crate::machine) fn undo(&self, context: &Context) -> Result<(), StepError> {
        let failed = || StepError::io("giving back", &self.path);
        let kept = context.place.kept();
        atomic::remove(&atomic::temporary(&self.path)).map_err(failed())?;
        let now = read(&self.path).map_err(failed())?;
        let writes = self.writes.as_ref().map(|name| kept::content(name, &kept)).transpose().map_err(failed())?;
        // A file that had to be written in place may have been cut short by a crash.
        let ours = now == writes || matches!((&now, &writes), (Some(now), Some(all)) if all.starts_with(now));
        if ours {
            return self.stood.restore(&self.path, &kept).map_err(failed());
        }
        match now {
            Some(now) if !self.had => {
                let others = text::unset(&now, &Marker::new(&self.tag)).map_err(|damaged| {
                    StepError::refused("giving back", self.path.display().to_string(), damaged.to_string())
                })?;
                write(&self.path, Some(&others)).map_err(failed())
            }
            _ => Ok(()),
        }
    }
}

impl Record {
    /// The file.
    pub(in crate::machine) fn path(&self) -> &Path {
        &self.path
    }
}

/// Files that exist only because of blocks of ours.
pub(in crate::machine) fn created(made: &[Made]) -> BTreeSet<PathBuf> {
    let records = made.iter().filter_map(|made| match &made.record {
        step::Record::Block(record) => Some(record),
        _ => None,
    });
    records.filter(|record| record.created).map(|record| record.path.clone()).collect()
}

fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.into())
}

fn read(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        content => content.map(Some),
    }
}

fn write(path: &Path, content: Option<&[u8]>) -> std::io::Result<()> {
    let Some(content) = content else { return atomic::remove(path) };
    let now = read(path)?;
    if now.as_deref() == Some(content) {
        return Ok(());
    }
    let attributes = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => NEW,
        found => {
            let found = found?;
            Attributes { mode: found.mode() & 0o7777, uid: found.uid(), gid: found.gid(), modified: None }
        }
    };
    atomic::replace(path, content, attributes)
}
