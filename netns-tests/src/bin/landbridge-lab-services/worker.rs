//! The other side: as much of a worker as the services need to be proved.

use std::path::Path;
use std::time::Duration;

use landbridge::paths::Paths;
use landbridge::scheduler::Scheduler;
use landbridge::scheduler::sge::Sge;
use landbridge::services::{hosts, nis};
use landbridge::spec::Cluster;
use landbridge_node::machine::{Block, Children, Directory, File, MachineSpec, Process, Readiness, Residue, Run};
use landbridge_node::wire::{HostEntry, NisBundle, People, QueueBundle, SgeBundle};

/// Host names, the execution daemon, and NIS.
pub(crate) fn wanted(cluster: &Cluster, paths: &Paths, worker: &HostEntry) -> MachineSpec {
    let front_end = HostEntry { name: cluster.front_end.name.clone(), address: cluster.vlan.front_end().ip() };
    let QueueBundle::Sge(sge) = Sge::new(cluster, paths).bundle();
    let mut spec = MachineSpec::default();
    let text = hosts::lines(&[front_end, worker.clone()]);
    spec.push(Block { path: "/etc/hosts".into(), name: "hosts".into(), text, first: true, replaces: vec![] });
    spec.extend(execution_daemon(&sge, worker));
    if let Some(nis) = nis::bundle(cluster, &People::default()) {
        spec.extend(nis_client(&nis, worker));
    }
    spec
}

fn execution_daemon(sge: &SgeBundle, worker: &HostEntry) -> MachineSpec {
    let common = sge.root.join(&sge.cell).join("common");
    let mut spec = MachineSpec::default();
    spec.push(directory(&common, None));
    for (name, text) in &sge.common {
        spec.push(File::open(common.join(name), text.as_str()));
    }
    spec.push(directory(Path::new("/var/spool/gridengine/execd"), Some("sgeadmin")));
    spec.push(Residue { path: format!("/var/spool/gridengine/execd/{}", worker.name).into() });
    let mut execd = process("execd", &["/usr/lib/gridengine/sge_execd"]);
    let ports = [("SGE_QMASTER_PORT", sge.qmaster_port), ("SGE_EXECD_PORT", sge.execd_port)];
    let ports = ports.map(|(name, port)| (name.to_owned(), port.to_string()));
    let root = sge.root.display().to_string();
    let place = [("SGE_ROOT", root), ("SGE_CELL", sge.cell.clone()), ("SGE_ND", "1".into())];
    execd.env = place.map(|(name, value)| (name.to_owned(), value)).into_iter().chain(ports).collect();
    execd.ready = Readiness::Tcp((worker.address, sge.execd_port).into());
    spec.push(execd);
    spec
}

fn nis_client(nis: &NisBundle, worker: &HostEntry) -> MachineSpec {
    let mut spec = MachineSpec::default();
    spec.push(directory(Path::new("/run/rpcbind"), Some("_rpc")));
    let mut rpcbind = process("rpcbind", &["/usr/sbin/rpcbind", "-f", "-w", "-h", &worker.address.to_string()]);
    rpcbind.ready = Readiness::Unix("/run/rpcbind.sock".into());
    spec.push(rpcbind);
    spec.push(File::open("/etc/yp.conf", format!("domain {} server {}\n", nis.domain, nis.server)));
    let switch = |name: &str, first: &str| Block {
        path: "/etc/nsswitch.conf".into(),
        name: name.into(),
        text: format!("{name}: {first} nis\n"),
        first: false,
        replaces: vec![format!("{name}:")],
    };
    for name in ["passwd", "group", "hosts"] {
        spec.push(switch(name, "files"));
    }
    spec.push(Run {
        name: "domainname".into(),
        argv: ["/bin/domainname", &nis.domain].map(String::from).into(),
        env: vec![],
        directory: "/".into(),
        inputs: vec![],
        outputs: vec![],
        undo: ["/bin/domainname", "(none)"].map(String::from).into(),
        holds: vec![],
        deadline: Duration::from_secs(5),
    });
    spec.push(process("ypbind", &["/usr/sbin/ypbind", "-foreground"]));
    spec
}

fn directory(path: &Path, owner: Option<&str>) -> Directory {
    Directory { path: path.into(), mode: 0o755, owner: owner.map(String::from) }
}

fn process(name: &str, argv: &[&str]) -> Process {
    Process {
        name: name.into(),
        argv: argv.iter().map(|&word| word.into()).collect(),
        env: vec![],
        restart_on: vec![],
        reload_on: vec![],
        ready: Readiness::Running,
        deadline: Duration::from_secs(20),
        grace: Process::GRACE,
        children: Children::End,
        starts_as_batch: false,
    }
}
