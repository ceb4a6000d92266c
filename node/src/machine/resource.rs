//! What a machine should have.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use landbridge_fabric::Network;
use serde::{Deserialize, Serialize};

/// Everything that one owner wants of one machine, in the order in which it is made. It is undone in reverse.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MachineSpec {
    /// In order; a later resource may rely on an earlier one.
    pub resources: Vec<Resource>,
}

/// One thing that a machine should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Links and addresses. At most one in a spec.
    Network(Network),
    /// A directory of ours.
    Directory(Directory),
    /// A whole file of ours.
    File(File),
    /// Some lines in a file of others.
    Block(Block),
    /// A command that makes files from files.
    Run(Run),
    /// A program that keeps running, also without us.
    Process(Process),
    /// A mounted file system.
    Mount(Mount),
    /// What programs of ours leave at a path.
    Residue(Residue),
    /// A kernel parameter.
    Sysctl(Sysctl),
}

/// A directory. One that was there before is left as it was found when the spec is undone; one that we made (missing
/// parents included) is removed. What others put into it is never removed: then the directory stays, and the report says
/// so. What programs of ours leave in it is declared as [`Residue`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Absolute.
    pub path: PathBuf,
    /// Permission bits, for example `0o700`.
    pub mode: u32,
    /// The owner, by a name in the machine's passwd; `None` for root.
    pub owner: Option<String>,
}

/// A whole file. It is replaced atomically, created with its mode from the first moment; a file of the same path that was
/// there before is kept beside the ledger and given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Absolute.
    pub path: PathBuf,
    /// The text; never shown, logged or written to the ledger when secret.
    pub content: Secret,
    /// Permission bits; 0600 for secrets.
    pub mode: u32,
    /// The owner, by a name in the machine's passwd; `None` for root.
    pub owner: Option<String>,
}

/// Lines between two marker lines (`# landbridge:OWNER:NAME begin` … `end`) in a file that belongs to others. Everything
/// outside the markers stays byte for byte; the block goes when the spec is undone, and a file that we made for it too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The file. Absolute.
    pub path: PathBuf,
    /// Tells blocks in one file apart.
    pub name: String,
    /// The lines, ending with a newline.
    pub text: String,
    /// Whether the block stands before everything else (where the first match wins) or behind it.
    pub first: bool,
    /// Lines of others that the block stands in for (compared without trailing white space, by their start, for example
    /// `passwd:`): commented out with our marker while the block is there, and given back.
    pub replaces: Vec<String>,
}

/// A command that makes files from files; run again whenever an input has changed since its last success. Its
/// standard output and error go to the log directory, and their end into the error when it fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Tells runs apart, and names the log.
    pub name: String,
    /// Program and arguments. No secrets: they can be seen in the process list.
    pub argv: Vec<String>,
    /// Added to a clean environment (`PATH`, `LANG`). No secrets: they are recorded in the ledger.
    pub env: Vec<(String, String)>,
    /// Where it runs.
    pub directory: PathBuf,
    /// Files or literal texts whose change makes it run again.
    pub inputs: Vec<Input>,
    /// What it leaves, removed when the spec is undone, unless it was there before the first run.
    pub outputs: Vec<PathBuf>,
    /// Program and arguments that take back what no file shows (a kernel setting, a loaded rule), run before the outputs
    /// are removed, with the same environment, directory and deadline; empty when there is nothing to take back.
    /// It must succeed when there is nothing left to undo.
    pub undo: Vec<String>,
    /// Program and arguments that succeed while what the run did is still so, asked at each look, for what others may take
    /// away unseen; it changes nothing and answers at once. Empty when nothing has to be asked.
    pub holds: Vec<String>,
    /// It is ended after this long.
    pub deadline: Duration,
}

/// What a run depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A file's content.
    Path(PathBuf),
    /// A text.
    Text(String),
}

/// A program that keeps running in a session of its own, whatever becomes of us. It is known by its process id and start
/// time, which are recorded before it counts as started; it is restarted when its argv, environment or one of
/// `restart_on` changed, and told to reload by `reload_on`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Tells processes apart, and names the log.
    pub name: String,
    /// Program and arguments; the program must stay in the foreground. No secrets.
    pub argv: Vec<String>,
    /// Added to a clean environment (`PATH`, `LANG`). No secrets: they are recorded in the ledger.
    pub env: Vec<(String, String)>,
    /// Files whose change makes a restart necessary.
    pub restart_on: Vec<PathBuf>,
    /// Files whose change is told by SIGHUP.
    pub reload_on: Vec<PathBuf>,
    /// When it counts as started.
    pub ready: Readiness,
    /// From start to ready; past it the start has failed and the program is ended.
    pub deadline: Duration,
    /// How long it may take to end when it is asked to (SIGTERM), but no longer than `deadline`; past that it is killed.
    #[serde(default = "Process::grace")]
    pub grace: Duration,
    /// What becomes of its children when it is started anew.
    #[serde(default)]
    pub children: Children,
    /// Whether it begins as batch work (`SCHED_BATCH`, sched(7)), which interrupts nobody when it is woken; threads and children that
    /// it begins are so too, until [`schedule_as_usual`](super::schedule_as_usual). One that runs is not restarted for it.
    #[serde(default)]
    pub starts_as_batch: bool,
}

/// What becomes of a program's children when it is started anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Children {
    /// They end with it: its whole session does.
    #[default]
    End,
    /// They go on, and the new one finds them: an execution daemon's jobs. They end when the program isn't wanted any more.
    GoOn,
}

/// When a program counts as started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Readiness {
    /// It runs.
    Running,
    /// A TCP connection to it succeeds.
    Tcp(SocketAddr),
    /// A connection to its unix socket succeeds.
    Unix(PathBuf),
    /// Its log has a line with this text.
    Log(String),
}

/// A mounted file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// What, for example `10.77.0.1:/home`.
    pub source: String,
    /// Other names of the same: what is mounted by one of them stays, and the kernel may show it by one of them.
    pub also: Vec<String>,
    /// Where. Made when missing.
    pub target: PathBuf,
    /// The type, for example `nfs4`.
    pub fstype: String,
    /// Options, for example `vers=4.2,hard`.
    pub options: String,
    /// The mount command is ended after this long.
    pub deadline: Duration,
}

/// What programs of ours leave at a path: status files, sockets, spools. Nothing is made; what stands there when the spec
/// is undone is removed, whole trees too, unless something stood there before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Residue {
    /// Absolute.
    pub path: PathBuf,
}

/// A kernel parameter that makes things faster, set while the spec is wanted and given back as it was. Where the kernel has
/// no such, or it may not be set (in a container), things stay as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sysctl {
    /// As sysctl(8) knows it, for example `net.ipv4.tcp_slow_start_after_idle`.
    pub name: String,
    /// What it is to be.
    pub value: SysctlValue,
}

/// What a kernel parameter is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SysctlValue {
    /// This; several numbers are separated by one space.
    Exactly(String),
    /// A number that is not less than this.
    AtLeast(u64),
}

/// A file's text, which may be secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Secret {
    /// May be shown in plans and diffs.
    Open(String),
    /// Shown only as its length and hash.
    Hidden(String),
}

impl Secret {
    /// The text, for writing it where it belongs.
    pub fn reveal(&self) -> &str {
        match self {
            Self::Open(text) | Self::Hidden(text) => text,
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(text) => text.fmt(f),
            Self::Hidden(text) => write!(f, "<{} secret bytes>", text.len()),
        }
    }
}

impl MachineSpec {
    /// Adds a resource behind the others.
    pub fn push(&mut self, resource: impl Into<Resource>) -> &mut Self {
        self.resources.push(resource.into());
        self
    }

    /// Adds another spec's resources behind these.
    pub fn extend(&mut self, other: Self) -> &mut Self {
        self.resources.extend(other.resources);
        self
    }
}

impl Process {
    /// What a program gets to end by itself, unless it is one that loses something when it is killed: most survive a power cut.
    pub const GRACE: Duration = Duration::from_secs(3);

    /// For records of before there was a choice.
    fn grace() -> Duration {
        Self::GRACE
    }
}

impl File {
    /// A file that everybody may read (0644), owned by root.
    pub fn open(path: impl AsRef<Path>, text: impl Into<String>) -> Self {
        Self { path: path.as_ref().into(), content: Secret::Open(text.into()), mode: 0o644, owner: None }
    }

    /// A file that only root may read (0600), never shown.
    pub fn secret(path: impl AsRef<Path>, text: impl Into<String>) -> Self {
        Self { path: path.as_ref().into(), content: Secret::Hidden(text.into()), mode: 0o600, owner: None }
    }
}

macro_rules! into_resource {
    ($($kind:ident),*) => {
        $(impl From<$kind> for Resource {
            fn from(value: $kind) -> Self {
                Self::$kind(value)
            }
        })*
    };
}

into_resource!(Network, Directory, File, Block, Run, Process, Mount, Residue, Sysctl);
