//! What a resource is known by, from one spec to the next.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Resource;

/// A resource's identity: two specs that have the same key mean the same thing, perhaps with other properties.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    kind: Kind,
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Network,
    Directory,
    File,
    Block,
    Run,
    Process,
    Mount,
    Residue,
    Sysctl,
}

impl Key {
    /// The key of a resource in a spec.
    pub(super) fn of(resource: &Resource) -> Self {
        match resource {
            Resource::Network(_) => Self::new(Kind::Network, "links and addresses"),
            Resource::Directory(directory) => Self::path(Kind::Directory, &directory.path),
            Resource::File(file) => Self::path(Kind::File, &file.path),
            Resource::Block(block) => Self::new(Kind::Block, format!("{} in {}", block.name, block.path.display())),
            Resource::Run(run) => Self::run(&run.name),
            Resource::Process(process) => Self::process(&process.name),
            Resource::Mount(mount) => Self::path(Kind::Mount, &mount.target),
            Resource::Residue(residue) => Self::path(Kind::Residue, &residue.path),
            Resource::Sysctl(sysctl) => Self::new(Kind::Sysctl, &sysctl.name),
        }
    }

    /// The key of a process.
    pub(super) fn process(name: &str) -> Self {
        Self::new(Kind::Process, name)
    }

    /// The key of a run.
    pub(super) fn run(name: &str) -> Self {
        Self::new(Kind::Run, name)
    }

    fn path(kind: Kind, path: &Path) -> Self {
        Self::new(kind, path.display().to_string())
    }

    fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Network => "network",
            Kind::Directory => "directory",
            Kind::File => "file",
            Kind::Block => "block",
            Kind::Run => "run",
            Kind::Process => "process",
            Kind::Mount => "mount",
            Kind::Residue => "residue",
            Kind::Sysctl => "sysctl",
        };
        write!(f, "{kind} {}", self.name)
    }
}
