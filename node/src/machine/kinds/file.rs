//! Whole files.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::machine::atomic::{self, Attributes};
use crate::machine::digest::Digest;
use crate::machine::kept::Snapshot;
use crate::machine::observe::{FileNode, Node, World};
use crate::machine::passwd::User;
use crate::machine::step::{self, Context, Prepared, Step};
use crate::machine::{Conflict, File, Key, Secret, StepError, diff};

/// What stood at a path: in the ledger before us, as an inverse before the step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::machine) struct Before {
    path: PathBuf,
    stood: Snapshot,
}

/// A step.
pub(in crate::machine) enum Change {
    Write { wanted: File, user: User, record: Option<Before> },
    GiveBack(Before),
}

/// Plans a file that is wanted.
pub(in crate::machine) fn want(
    key: &Key,
    wanted: &File,
    record: Option<&Before>,
    world: &mut World,
) -> Result<Option<Step>, Conflict> {
    let conflict = |why: String| Conflict { key: key.clone(), why };
    let user = world.passwd.user(wanted.owner.as_deref()).map_err(conflict)?;
    let content = wanted.content.reveal().as_bytes();
    let lines = match world.node(&wanted.path) {
        Node::Missing => vec![format!("+ {key} ({:04o}, {})", wanted.mode, size(&wanted.content))],
        Node::Link(_) => vec![format!("~ {key}: a link => a file ({:04o}, {})", wanted.mode, size(&wanted.content))],
        Node::File(found) => {
            let same = found.content.as_deref() == Some(content);
            if same && (found.mode, found.uid) == (wanted.mode, user.uid) {
                return Ok(None);
            }
            difference(key, wanted, user, found, record.is_some())
        }
        Node::Directory { .. } | Node::Other => {
            return Err(conflict("something that is no file stands there; move it away".into()));
        }
    };
    let digest = Digest::of(content);
    let node = FileNode { digest, mode: wanted.mode, uid: user.uid, content: Some(content.into()) };
    world.set_node(&wanted.path, Node::File(node));
    let change = Change::Write { wanted: wanted.clone(), user, record: record.cloned() };
    Ok(Some(Step::with_details(key, lines, change)))
}

/// Plans the end of a file.
pub(in crate::machine) fn unwant(key: &Key, record: &Before, world: &mut World) -> Step {
    let (line, node) = match &record.stood {
        Snapshot::Missing => (format!("- {key}"), Node::Missing),
        Snapshot::File { kept, mode, uid, .. } => {
            let node = FileNode { digest: kept.clone(), mode: *mode, uid: *uid, content: None };
            (format!("- {key}: ours => the one that was there before"), Node::File(node))
        }
        Snapshot::Link { .. } => (format!("- {key}: ours => the link that was there before"), Node::Other),
    };
    world.set_node(&record.path, node);
    Step::new(key, line, Change::GiveBack(record.clone()))
}

fn difference(key: &Key, wanted: &File, user: User, found: &FileNode, ours: bool) -> Vec<String> {
    let mut what = vec![];
    if (found.mode, found.uid) != (wanted.mode, user.uid) {
        what.push(step::attributes((found.mode, found.uid), (wanted.mode, user.uid)));
    }
    let content = wanted.content.reveal();
    let mut details = vec![];
    if found.content.as_deref() != Some(content.as_bytes()) {
        what.push("changed".into());
        details = shown(&wanted.content, found);
    }
    if !ours {
        what.push("the one that is there now is kept".into());
    }
    details.insert(0, format!("~ {key}: {}", what.join(", ")));
    details
}

/// The difference, when everybody may see both sides of it.
fn shown(wanted: &Secret, found: &FileNode) -> Vec<String> {
    match (wanted, found.content.as_deref().map(str::from_utf8)) {
        (Secret::Open(new), Some(Ok(old))) if found.mode & 0o004 != 0 => diff::lines(old, new),
        _ => vec![],
    }
}

fn size(content: &Secret) -> String {
    match content {
        Secret::Open(text) => format!("{} bytes", text.len()),
        Secret::Hidden(_) => "secret".into(),
    }
}

impl Change {
    /// Keeps what is there now.
    pub(in crate::machine) fn prepare(&self, context: &Context) -> Result<Prepared<Before, Before>, StepError> {
        let (path, record) = match self {
            Self::Write { wanted, record, .. } => (&wanted.path, record.as_ref()),
            Self::GiveBack(record) => (&record.path, None),
        };
        let stood = Snapshot::take(path, &context.place.kept()).map_err(StepError::io("keeping", path))?;
        let inverse = Before { path: path.clone(), stood };
        let ours = matches!(self, Self::Write { .. }).then(|| record.unwrap_or(&inverse).clone());
        Ok(Prepared { inverse, after: ours })
    }

    /// Does it.
    pub(in crate::machine) fn perform(&self, context: &Context) -> Result<(), StepError> {
        match self {
            Self::Write { wanted, user, .. } => {
                let attributes = Attributes { mode: wanted.mode, uid: user.uid, gid: user.gid, modified: None };
                atomic::replace(&wanted.path, wanted.content.reveal().as_bytes(), attributes)
                    .map_err(StepError::io("writing", &wanted.path))
            }
            Self::GiveBack(record) => record.restore(context),
        }
    }
}

impl Before {
    /// Brings back what stood there. Twice is once.
    pub(in crate::machine) fn restore(&self, context: &Context) -> Result<(), StepError> {
        self.stood.restore(&self.path, &context.place.kept()).map_err(StepError::io("giving back", &self.path))
    }

    /// The name of its content in the kept directory.
    pub(in crate::machine) fn kept(&self) -> Option<&Digest> {
        self.stood.kept()
    }
}
