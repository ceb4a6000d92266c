//! The queue's execution daemon.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use super::nfs::knock;
use super::worker::Worker;
use crate::machine::{Directory, File, MachineSpec, Process, Readiness, Residue};
use crate::wire::{Failure, QueueBundle, SgeBundle};
use crate::words;

/// The account that Grid Engine's files belong to, made by Debian's package.
const SGE_ADMIN: &str = "sgeadmin";
/// Where the execution daemon keeps its jobs.
const SGE_SPOOL: &str = "/var/spool/gridengine/execd";
/// Debian's program itself: the wrapper of that name in PATH runs a dozen shell commands to find out what we know.
const SGE_EXECD: &str = "/usr/lib/gridengine/sge_execd";
/// From start to listening: it registers with the queue master first.
const START: Duration = Duration::from_secs(20);

/// What the queue needs on this machine.
pub fn resources(queue: &QueueBundle, worker: &Worker) -> MachineSpec {
    match queue {
        QueueBundle::Sge(sge) => sge_resources(sge, worker),
    }
}

fn sge_resources(sge: &SgeBundle, worker: &Worker) -> MachineSpec {
    let common = sge.root.join(&sge.cell).join("common");
    let directory =
        |path: &Path, owner: Option<&str>| Directory { path: path.into(), mode: 0o755, owner: owner.map(Into::into) };
    let mut spec = MachineSpec::default();
    spec.push(directory(&common, None));
    for (name, text) in &sge.common {
        spec.push(File::open(common.join(name), text.as_str()));
    }
    spec.push(directory(Path::new(SGE_SPOOL), Some(SGE_ADMIN)));
    spec.push(Residue { path: Path::new(SGE_SPOOL).join(worker.name.as_str()) });
    spec.push(execd(sge, sge.common.iter().map(|(name, _)| common.join(name)).collect()));
    spec
}

fn execd(sge: &SgeBundle, restart_on: Vec<std::path::PathBuf>) -> Process {
    let env = [
        ("SGE_ROOT", sge.root.display().to_string()),
        ("SGE_CELL", sge.cell.clone()),
        ("SGE_QMASTER_PORT", sge.qmaster_port.to_string()),
        ("SGE_EXECD_PORT", sge.execd_port.to_string()),
        // It stays in the foreground.
        ("SGE_ND", "1".into()),
    ];
    Process {
        name: "sge_execd".into(),
        argv: vec![SGE_EXECD.into()],
        env: env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        restart_on,
        reload_on: Vec::new(),
        ready: Readiness::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, sge.execd_port))),
        deadline: START,
    }
}

/// Whether the queue master is there at all: the execution daemon would retry in silence.
pub async fn preflight(queue: &QueueBundle, worker: &Worker) -> Result<(), Failure> {
    let QueueBundle::Sge(sge) = queue;
    let front_end = &worker.bundle.front_end;
    knock(front_end.address, sge.qmaster_port).await.map_err(|seen| Failure {
        expected: format!("the queue master at {} ({}:{})", front_end.name, front_end.address, sge.qmaster_port),
        seen,
        remedy: "start the front-end's services (landbridge up), and see landbridge status there".into(),
    })
}

/// Why the execution daemon does not run.
pub fn explain(worker: &Worker, error: &(dyn std::error::Error + 'static)) -> Failure {
    if words::is_missing_program(error) {
        return words::missing_program("the queue", "sge_execd", "gridengine-exec");
    }
    refused(worker, &words::chain(error))
}

fn refused(worker: &Worker, said: &str) -> Failure {
    let says = |text: &str| said.contains(text);
    let expected = "Grid Engine's execution daemon to register with the queue master".to_owned();
    let (seen, remedy) = if says("denied: host") || says("neither submit nor admin host") {
        (format!("the queue master knows no host {}", worker.name), "see landbridge worker show, on the front-end")
    } else if says("can't resolve hostname") || says("unresolvable hostname") || says("can't resolve host name") {
        (
            "a host name has no address, or another one, here or on the front-end".into(),
            "see /etc/hosts here and the NIS map hosts",
        )
    } else if says("sgeadmin") && says("no user") {
        return words::missing_program("the queue", "sge_execd", "gridengine-exec");
    } else {
        (said.to_owned(), "see the messages in /var/spool/gridengine/execd and /tmp/execd_messages.*")
    };
    Failure { expected, seen, remedy: remedy.into() }
}
