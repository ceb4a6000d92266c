//! A template's value, however it was written.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Processors in hundredths, as OpenNebula counts them: `CPU = 0.5` is 50.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cpu(pub u32);

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole}"),
            (whole, part) => write!(f, "{whole}.{part:02}"),
        }
    }
}

/// What a worker's machine is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerTemplate {
    /// The template's own name.
    pub name: Option<String>,
    /// The share of the host's processors that it is promised.
    pub cpu: Cpu,
    /// How many processors the machine sees; `None`: as many as `cpu` needs, at least one.
    pub vcpu: Option<u32>,
    /// In MiB.
    pub memory_mib: u64,
    /// How a local machine starts; `None`: from its first disk.
    pub os: Option<Os>,
    /// A local machine's disks, in order.
    pub disks: Vec<Disk>,
    /// A local machine's network cards. The first is the vLAN's, whatever bridge it names.
    pub nics: Vec<Nic>,
    /// What EC2 is asked for; `None`: it can't run there.
    pub ec2: Option<Ec2>,
    /// Job slots in the queue; `None`: one a processor.
    pub slots: Option<u32>,
    /// What nobody here honours, kept for whoever converts the template: by upper-case name, in the file's order.
    pub other: BTreeMap<String, Vec<Attribute>>,
}

/// Keys of a vector attribute and their texts, by upper-case name.
pub type Words = BTreeMap<String, String>;

/// The value of an OpenNebula attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Attribute {
    /// `NAME = "text"`.
    Single(String),
    /// `NAME = [ KEY = "text", … ]`.
    Vector(Words),
}

/// How a local machine starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Os {
    /// Path of a kernel on the host: a direct (on Xen: para-virtual) start.
    pub kernel: Option<PathBuf>,
    /// Path of its initial file system.
    pub initrd: Option<PathBuf>,
    /// The root device inside the machine, without `/dev/`.
    pub root: Option<String>,
    /// More for the kernel's command line.
    pub kernel_cmd: Option<String>,
    /// `x86_64` when not said.
    pub arch: Option<String>,
    /// What nobody here honours.
    pub other: Words,
}

/// A disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// What is on it.
    pub source: DiskSource,
    /// The device's name inside, for example `sda`; `None`: the next free.
    pub target: Option<String>,
    /// Whether the machine may only read it.
    pub read_only: bool,
    /// The source's format; `None`: looked up.
    pub format: Option<DiskFormat>,
    /// What nobody here honours.
    pub other: Words,
}

/// What is on a disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiskSource {
    /// A file on the host: absolute, or a name in the host's image directory. It is never written: the machine gets an overlay.
    Image(PathBuf),
    /// A new swap space of so many MiB.
    Swap(u64),
    /// A new, blank disk of so many MiB.
    Empty(u64),
}

/// A disk image's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiskFormat {
    /// Bytes as they are.
    Raw,
    /// QEMU's copy-on-write format.
    Qcow2,
}

/// A network card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nic {
    /// The bridge that it names; the first card goes to the vLAN's bridge instead.
    pub bridge: Option<String>,
    /// For example `virtio`.
    pub model: Option<String>,
    /// What nobody here honours.
    pub other: Words,
}

/// What EC2 is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ec2 {
    /// The image's id, `ami-…`.
    pub ami: String,
    /// A key pair's name.
    pub key_pair: Option<String>,
    /// For example `m1.small`; `None`: the cloud host's.
    pub instance_type: Option<String>,
    /// TCP ports open to everybody; none is needed.
    pub authorized_ports: Vec<Authorized>,
    /// Asked for on the spot market.
    pub spot: bool,
    /// What nobody here honours.
    pub other: Words,
}

/// An inclusive range of TCP ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorized {
    /// The first.
    pub from: u16,
    /// The last, at least `from`.
    pub to: u16,
}

impl WorkerTemplate {
    /// Whether it says how to run on a physical host.
    pub fn runs_on_physical(&self) -> bool {
        !self.disks.is_empty() || self.os.as_ref().is_some_and(|os| os.kernel.is_some())
    }

    /// Whether it says what to ask of a cloud.
    pub fn runs_in_cloud(&self) -> bool {
        self.ec2.is_some()
    }

    /// How many processors the machine sees.
    pub fn vcpus(&self) -> u32 {
        self.vcpu.unwrap_or_else(|| self.cpu.0.div_ceil(100)).max(1)
    }
}
