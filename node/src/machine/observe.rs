//! What a machine has of all that a spec or the ledger speaks of. Looking changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use landbridge_fabric::Network;

use super::digest::Digest;
use super::kinds::mount::{self, MountEntry};
use super::kinds::network;
use super::kinds::process::Instance;
use super::kinds::sysctl;
use super::ledger::Made;
use super::passwd::Passwd;
use super::step::{Context, Record};
use super::{Input, MachineSpec, Place, Process, Resource, StepError};

/// What stands at a path.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// Nothing.
    Missing,
    /// A file.
    File(FileNode),
    /// A directory.
    Directory { mode: u32, uid: u32 },
    /// A symbolic link, and what is behind it.
    Link(Box<Node>),
    /// A device, socket or pipe.
    Other,
}

/// A file as it is.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct FileNode {
    pub digest: Digest,
    pub mode: u32,
    pub uid: u32,
    /// Only where a plan needs to read it.
    pub content: Option<Vec<u8>>,
}

impl Node {
    /// What a program finds that opens the path.
    pub(super) fn through(&self) -> &Self {
        match self {
            Self::Link(behind) => behind,
            node => node,
        }
    }

    fn look(path: &Path, read: bool) -> io::Result<Self> {
        let missing = |error: &io::Error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
        let link = match fs::symlink_metadata(path) {
            Err(error) if missing(&error) => return Ok(Self::Missing),
            metadata => metadata?.is_symlink(),
        };
        let node = match fs::metadata(path) {
            Err(error) if missing(&error) => Self::Missing,
            metadata => Self::open(path, &metadata?, read)?,
        };
        Ok(if link { Self::Link(Box::new(node)) } else { node })
    }

    fn open(path: &Path, metadata: &fs::Metadata, read: bool) -> io::Result<Self> {
        let (mode, uid) = (metadata.mode() & 0o7777, metadata.uid());
        if metadata.is_dir() {
            return Ok(Self::Directory { mode, uid });
        }
        if !metadata.is_file() {
            return Ok(Self::Other);
        }
        let file = File::open(path)?;
        let (digest, content) = if read {
            let content = fs::read(path)?;
            (Digest::of(&content), Some(content))
        } else {
            (Digest::of_open(file)?, None)
        };
        Ok(Self::File(FileNode { digest, mode, uid, content }))
    }
}

/// A machine as it is, as far as a spec and the ledger speak of it; while a plan is made, as it will be after its steps.
#[derive(Default)]
pub(super) struct World {
    nodes: BTreeMap<PathBuf, Node>,
    processes: BTreeMap<String, Instance>,
    pub(super) passwd: Passwd,
    /// Files that exist only because of blocks of ours.
    pub(super) created: BTreeSet<PathBuf>,
    /// Every mount of our namespace, in the kernel's order.
    pub(super) mounts: Vec<MountEntry>,
    sysctls: BTreeMap<String, String>,
    pub(super) network: Option<network::View>,
}

impl World {
    /// Looks at everything that `spec` and `made` speak of.
    pub(super) async fn observe(context: &Context, spec: &MachineSpec, made: &[Made]) -> Result<Self, StepError> {
        let mut world = Self { passwd: Passwd::read()?, ..Self::default() };
        let place = &context.place;
        if let Some(network) = network_of(spec, made) {
            world.network = Some(network::look(context, &network).await?);
        }
        for resource in &spec.resources {
            world.look_for(place, resource)?;
        }
        for made in made {
            world.look_after(place, &made.record)?;
        }
        Ok(world)
    }

    /// Looks at what one process depends on.
    pub(super) fn of_process(place: &Place, process: &Process) -> Result<Self, StepError> {
        let mut world = Self::default();
        world.look_for(place, &Resource::Process(process.clone()))?;
        Ok(world)
    }

    /// What stands at `path`. A path that nobody looked at is missing.
    pub(super) fn node(&self, path: &Path) -> &Node {
        self.nodes.get(path).unwrap_or(&Node::Missing)
    }

    /// What will stand at `path` after the steps so far.
    pub(super) fn set_node(&mut self, path: &Path, node: Node) {
        self.nodes.insert(path.into(), node);
    }

    /// The content's hash of what a program finds at `path`; `None` without a file.
    pub(super) fn digest(&self, path: &Path) -> Option<Digest> {
        match self.node(path).through() {
            Node::File(file) => Some(file.digest.clone()),
            _ => None,
        }
    }

    /// The process that runs under this name.
    pub(super) fn process(&self, name: &str) -> Option<&Instance> {
        self.processes.get(name)
    }

    /// A kernel parameter's value; `None` where there is no such or we may not set it.
    pub(super) fn sysctl(&self, name: &str) -> Option<&str> {
        self.sysctls.get(name).map(String::as_str)
    }

    /// What a kernel parameter will be after the steps so far.
    pub(super) fn set_sysctl(&mut self, name: &str, value: &str) {
        self.sysctls.insert(name.into(), value.into());
    }

    fn look_for(&mut self, place: &Place, resource: &Resource) -> Result<(), StepError> {
        match resource {
            Resource::Network(_) => {}
            Resource::Directory(directory) => self.look(&directory.path, false)?,
            Resource::File(file) => self.look(&file.path, true)?,
            Resource::Block(block) => self.look(&block.path, true)?,
            Resource::Residue(residue) => self.look(&residue.path, false)?,
            Resource::Run(run) => {
                let inputs = run.inputs.iter().filter_map(|input| match input {
                    Input::Path(path) => Some(path),
                    Input::Text(_) => None,
                });
                for path in inputs.chain(&run.outputs) {
                    self.look(path, false)?;
                }
            }
            Resource::Process(process) => {
                for path in process.restart_on.iter().chain(&process.reload_on) {
                    self.look(path, false)?;
                }
                self.look_for_process(place, &process.name)?;
            }
            Resource::Mount(mount) => self.look_at_mounts(&mount.target)?,
            Resource::Sysctl(wanted) => {
                let found = sysctl::look(&wanted.name)?;
                self.sysctls.extend(found.map(|value| (wanted.name.clone(), value)));
            }
        }
        Ok(())
    }

    fn look_after(&mut self, place: &Place, record: &Record) -> Result<(), StepError> {
        match record {
            Record::Block(block) => self.look(block.path(), true),
            Record::Process(process) => self.look_for_process(place, process.name()),
            Record::Mount(mount) => self.look_at_mounts(mount.target()),
            Record::Network(_)
            | Record::Directory(_)
            | Record::File(_)
            | Record::Run(_)
            | Record::Residue(_)
            | Record::Sysctl(_) => Ok(()),
        }
    }

    fn look(&mut self, path: &Path, read: bool) -> Result<(), StepError> {
        let known = match self.nodes.get(path).map(Node::through) {
            Some(Node::File(file)) => file.content.is_some() || !read,
            Some(_) => true,
            None => false,
        };
        if !known {
            let node = Node::look(path, read).map_err(StepError::io("looking at", path))?;
            self.nodes.insert(path.into(), node);
        }
        Ok(())
    }

    fn look_for_process(&mut self, place: &Place, name: &str) -> Result<(), StepError> {
        if let Some(instance) = Instance::running(&place.process(name))? {
            self.processes.insert(name.into(), instance);
        }
        Ok(())
    }

    fn look_at_mounts(&mut self, target: &Path) -> Result<(), StepError> {
        if self.mounts.is_empty() {
            self.mounts = mount::mounted()?;
        }
        // What is mounted is not looked at: a network file system whose server is away would hold us for as long as that.
        if self.mounts.iter().any(|entry| entry.is_at(target)) { Ok(()) } else { self.look(target, false) }
    }
}

/// The network that is wanted, or the empty one when one of ours is no longer wanted.
fn network_of(spec: &MachineSpec, made: &[Made]) -> Option<Network> {
    let wanted = spec.resources.iter().find_map(|resource| match resource {
        Resource::Network(network) => Some(network.clone()),
        _ => None,
    });
    wanted.or_else(|| {
        made.iter().find_map(|made| match &made.record {
            Record::Network(record) => Some(record.end()),
            _ => None,
        })
    })
}
