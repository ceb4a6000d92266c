//! Worker templates: what a worker's machine is, said once for a local hypervisor and for EC2. Pure.

mod model;

pub use model::{Attribute, Authorized, Cpu, Disk, DiskFormat, DiskSource, Ec2, Nic, Os, Words, WorkerTemplate};
