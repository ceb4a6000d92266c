//! Domains as libvirt's own schema judges them, and machines on a real libvirtd.

mod daemon;
mod definitions;
mod machines;

use std::path::Path;

use landbridge_fabric::InterfaceName;
use landbridge_pki::NodeName;

use super::*;
use crate::naming::Mac;
use crate::provider::Seed;
use crate::template::{Cpu, Disk, DiskSource, WorkerTemplate};

fn launch(worker: &str, worker_id: i64) -> Launch {
    let (cluster, worker) = (ClusterName::new("ursa").expect("a name"), NodeName::new(worker).expect("a name"));
    Launch { cluster, worker, worker_id, attempt: 1 }
}

fn disk(source: DiskSource) -> Disk {
    Disk { source, target: None, read_only: false, format: None, other: std::collections::BTreeMap::new() }
}

fn template(disks: Vec<Disk>) -> WorkerTemplate {
    WorkerTemplate {
        name: Some("stock".into()),
        cpu: Cpu(150),
        vcpu: None,
        memory_mib: 32,
        os: None,
        disks,
        nics: Vec::new(),
        ec2: None,
        slots: None,
        other: std::collections::BTreeMap::new(),
    }
}

fn image(path: &Path) -> Disk {
    disk(DiskSource::Image(path.into()))
}

fn order(launch: Launch, template: WorkerTemplate) -> Order {
    let bridge = InterfaceName::new("lbbr-ursa").expect("a name");
    let seed = Seed { user_data: "#cloud-config\n".into(), meta_data: String::new(), network_config: None };
    Order { launch, template, bridge, mac: Mac::of([10, 77, 1, 5].into()), seed }
}
