//! The queue's execution daemon.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::Path;
use std::time::Duration;

use super::canary;
use super::worker::Worker;
use crate::machine::{
    self, Beside, Children, Directory, File, MachineSpec, Place, Process, Readiness, Residue, StepError,
};
use crate::wire::{Failure, QueueBundle, SgeBundle};
use crate::words;

/// The account that Grid Engine's files belong to, made by Debian's package.
const SGE_ADMIN: &str = "sgeadmin";
/// Where the execution daemon keeps its jobs.
const SGE_SPOOL: &str = "/var/spool/gridengine/execd";
/// The execution daemon's process.
const EXECD: &str = "sge_execd";
/// What runs each of its jobs, and is its child.
const SHEPHERD: &str = "sge_shepherd";
/// Debian's program itself: the wrapper of that name in PATH runs a dozen shell commands to find out what we know.
const SGE_EXECD: &str = "/usr/lib/gridengine/sge_execd";
/// From start to listening.
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
    spec.extend(canary::resources());
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
        name: EXECD.into(),
        argv: vec![SGE_EXECD.into()],
        env: env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        restart_on,
        reload_on: Vec::new(),
        ready: Readiness::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, sge.execd_port))),
        deadline: START,
        grace: Process::GRACE,
        children: Children::GoOn,
        // Each of its threads wakes who began it just before it says that it runs. Who interrupts it there sees nothing said, and looks
        // again a tenth of a second later.
        starts_as_batch: true,
    }
}

/// The execution daemon has begun its threads: it and its jobs are to be scheduled as any other program.
pub fn schedule_as_usual(place: &Place) {
    if let Err(error) = machine::schedule_as_usual(place, EXECD) {
        tracing::warn!(error = %words::chain(&error), "jobs stay batch work for the kernel (SCHED_BATCH)");
    }
}

/// Where the queue master listens.
pub fn master(queue: &QueueBundle, worker: &Worker) -> SocketAddrV4 {
    let QueueBundle::Sge(sge) = queue;
    SocketAddrV4::new(worker.bundle.front_end.address, sge.qmaster_port)
}

/// The queue master did not answer, for this reason; the execution daemon would retry in silence.
pub fn unreached(queue: &QueueBundle, worker: &Worker, seen: String) -> Failure {
    Failure {
        expected: format!("the queue master at {} ({})", worker.bundle.front_end.name, master(queue, worker)),
        seen,
        remedy: "start the front-end's services (landbridge up), and see landbridge status there".into(),
    }
}

/// Ends an execution daemon whose queue master went away: it looks for it every half minute only (Grid Engine's
/// `EXECD_MAX_RECONNECT_TIMEOUT`), and started anew it does so at once. One that has jobs is left to find its own way.
pub async fn end_if_cut_off(machine: Beside<'_>, queue: &QueueBundle, worker: &Worker) -> Result<(), StepError> {
    if is_connected(master(queue, worker)) || is_running(SHEPHERD) { Ok(()) } else { machine.end(EXECD).await }
}

/// Whether a TCP connection to there is open, by `/proc/net/tcp`, proc(5): addresses are in the machine's own byte order, and
/// 01 is "established".
fn is_connected(to: SocketAddrV4) -> bool {
    let remote = format!("{:08X}:{:04X}", u32::from_ne_bytes(to.ip().octets()), to.port());
    let connections = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    connections.lines().map(|line| line.split_whitespace().skip(2).take(2)).any(|seen| seen.eq([remote.as_str(), "01"]))
}

fn is_running(program: &str) -> bool {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut names = processes.filter_map(|process| fs::read_to_string(process.path().join("comm")).ok());
    names.any(|name| name.trim_end() == program)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_execution_daemon_starts_as_batch_work_and_leaves_its_jobs_alone_when_started_anew() {
        let sge = SgeBundle {
            root: "/var/lib/gridengine".into(),
            cell: "default".into(),
            qmaster_port: 6444,
            execd_port: 6445,
            common: vec![],
        };
        let execd = execd(&sge, vec![]);
        assert!(execd.starts_as_batch && execd.children == Children::GoOn);
    }

    #[test]
    fn an_open_connection_is_told_from_one_that_was_closed() {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let SocketAddr::V4(to) = listener.local_addr().expect("its address") else { unreachable!("an IPv4 port") };
        assert!(!is_connected(to));
        let connection = std::net::TcpStream::connect(to).expect("somebody listens");
        assert!(is_connected(to));
        drop((connection, listener));
        assert!(!is_connected(to));
    }
}
