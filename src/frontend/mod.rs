//! The front-end's machine: everything that `up` makes, as one list of resources. Pure but for [`Surroundings::look`].

mod boot;
#[cfg(test)]
pub(crate) mod fixture;
mod keys;
mod obstacles;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use landbridge_node::guard;
use landbridge_node::logs;
use landbridge_node::machine::{
    Children, Input, LockError, Machine, MachineSpec, OpenError, Place, Process, Readiness, Resource, Run, crash,
};
use landbridge_node::path::SendRoom;
use landbridge_node::wire::{HostEntry, People};

use crate::paths::Paths;
use crate::scheduler::{Queue, sge};
use crate::services::nfs::NfsServer;
use crate::services::nis::Rpcbind;
use crate::spec::{Cluster, SchedulerKind};
use crate::{network, services, tunnel};

pub use keys::{KeysError, ensure_keys, open_authority, read_passphrase, renew_own, tls_identity};
pub use obstacles::obstacles;

/// The daemon's process.
const DAEMON: &str = "daemon";

/// What the machine's resources depend on besides the cluster's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// `landbridge`, for the resources that are commands of ours.
    pub binary: PathBuf,
    /// `landbridged`, which lies beside it.
    pub daemon: PathBuf,
    /// The cluster's file.
    pub file: PathBuf,
    /// What `uname -n` says.
    pub own_name: String,
    /// Which NFS server this kernel can have.
    pub nfs_server: NfsServer,
    /// Who runs `rpcbind`.
    pub rpcbind: Rpcbind,
    /// Its people, whom the NIS domain knows.
    pub people: People,
    /// What tunnels over TCP may send.
    pub send_room: SendRoom,
    /// Whether systemd is the machine's init.
    pub systemd: bool,
    /// Whether logrotate looks after logs here.
    pub rotates_logs: bool,
    /// Where the user who runs all this is at home: a cloud's credentials are looked for there.
    pub home: PathBuf,
    /// When the daemon is to crash, for tests: `up` hands it on, and the daemon, which keeps itself among the others, must not
    /// find that its environment should be another.
    pub daemon_dies_at: Option<String>,
}

impl Surroundings {
    /// With what changes while a daemon runs as it is now: as the next `up` will see it, since the two must not undo each other's work.
    pub fn again(&self) -> std::io::Result<Self> {
        Ok(Self { send_room: SendRoom::look(), people: services::nis::people::read()?, ..self.clone() })
    }

    /// Looks at this machine.
    pub fn look(file: &Path) -> std::io::Result<Self> {
        // Either of our programs may be the one that looks.
        let own = std::env::current_exe()?;
        Ok(Self {
            binary: own.with_file_name("landbridge"),
            daemon: own.with_file_name("landbridged"),
            file: std::path::absolute(file)?,
            own_name: nix::unistd::gethostname()?.to_string_lossy().into_owned(),
            nfs_server: services::nfs::detect(),
            rpcbind: services::nis::detect(),
            people: services::nis::people::read()?,
            send_room: SendRoom::look(),
            systemd: services::systemd::runs(),
            rotates_logs: logs::are_rotated(),
            home: home()?,
            daemon_dies_at: std::env::var(crash::DAEMON).ok(),
        })
    }
}

/// By the user database, not by the environment, which is another under sudo and at boot.
fn home() -> std::io::Result<PathBuf> {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid())?;
    Ok(user.map_or_else(|| PathBuf::from("/"), |user| user.dir))
}

/// Who is in the cluster now, as far as the front-end's machine has to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// The underlay addresses of the enrolled hosts.
    pub underlay: BTreeSet<Ipv4Addr>,
    /// The workers' names and addresses.
    pub workers: Vec<HostEntry>,
}

/// The front-end's machine, in the order in which it is made: guard, network, keys, tunnel, names, services, queue, daemon,
/// and what starts it all at boot.
pub fn machine_spec(
    cluster: &Cluster,
    paths: &Paths,
    around: &Surroundings,
    members: &Members,
    queue: &Queue,
) -> MachineSpec {
    let mut spec = MachineSpec::default();
    let taps: Vec<_> = tunnel::servers(cluster).iter().map(|server| server.tap(cluster)).collect();
    let network = network::of_front_end(cluster, &members.underlay, &taps);
    let mut held_back = guard::of_uplinks(&network);
    held_back.extend(services::guard::rules(&cluster.name, &guarded(cluster, around)));
    // Before the links, so that nobody is let in meanwhile; undone after them.
    spec.extend(guard::resources(&cluster.name.owner(), &paths.services().join("guard"), &held_back));
    spec.push(network);
    if around.rotates_logs {
        spec.extend(logs::rotation("landbridge", &paths.log));
    }
    spec.push(keys_run(cluster, paths, around));
    spec.extend(tunnel::resources(cluster, paths, around.send_room));
    let front_end = HostEntry { name: cluster.front_end.name.clone(), address: cluster.vlan.front_end().ip() };
    spec.extend(services::hosts::resources(&front_end, &around.own_name, &members.workers));
    spec.extend(services::nfs::resources(cluster, paths, around.nfs_server));
    spec.extend(services::nis::resources(cluster, paths, &members.workers, &around.people, around.rpcbind));
    spec.extend(queue.resources());
    spec.push(daemon(paths, around));
    spec.extend(boot::resources(around));
    spec
}

/// The same machine as the daemon itself keeps it: it would not survive its own restart. A changed file or program is taken
/// up by the next `up`.
pub fn without_own_restart(mut spec: MachineSpec) -> MachineSpec {
    for resource in &mut spec.resources {
        if let Resource::Process(process) = resource
            && process.name == DAEMON
        {
            process.restart_on.clear();
        }
    }
    spec
}

/// Ports of programs that listen on every address, which only the vLAN may reach.
fn guarded(cluster: &Cluster, around: &Surroundings) -> BTreeSet<u16> {
    let nis = cluster.services.nis.iter().flat_map(|_| services::nis::ports(around.rpcbind));
    let queue = (cluster.services.scheduler == SchedulerKind::Sge).then_some(sge::QMASTER_PORT);
    nis.chain(queue).collect()
}

/// Makes what is missing of the authority, the front-end's certificate and the tunnel's keys. They stay when the rest goes:
/// every worker's certificate hangs on them.
fn keys_run(cluster: &Cluster, paths: &Paths, around: &Surroundings) -> Run {
    Run {
        name: "keys".into(),
        argv: command(&around.binary, around, &["pki", "init"]),
        env: Vec::new(),
        directory: paths.state.clone(),
        // The daemon, which has the authority in its hands, follows the rest: another address, another year.
        inputs: vec![Input::Text(cluster.name.to_string())],
        outputs: Vec::new(),
        undo: Vec::new(),
        holds: Vec::new(),
        deadline: Duration::from_mins(1),
    }
}

/// The daemon is a program among the others: its death is repaired by the next `up`, and nothing else hangs on it.
fn daemon(paths: &Paths, around: &Surroundings) -> Process {
    let dies_at = around.daemon_dies_at.iter().map(|at| (crash::DAEMON.to_owned(), at.clone()));
    let home = ("HOME".to_owned(), around.home.display().to_string());
    Process {
        name: DAEMON.into(),
        argv: command(&around.daemon, around, &[]),
        env: std::iter::once(home).chain(dies_at).collect(),
        restart_on: vec![around.file.clone(), around.daemon.clone()],
        reload_on: Vec::new(),
        ready: Readiness::Unix(paths.socket()),
        deadline: Duration::from_secs(30),
        grace: Process::GRACE,
        children: Children::End,
        starts_as_batch: false,
    }
}

fn command(program: &Path, around: &Surroundings, words: &[&str]) -> Vec<String> {
    let mut argv = vec![program.display().to_string(), "--file".into(), around.file.display().to_string()];
    argv.extend(words.iter().map(|w| (*w).to_owned()));
    argv
}

/// Takes hold of this machine, behind whoever is changing it now: `up`, the daemon.
pub async fn open_machine(cluster: &Cluster, paths: &Paths) -> Result<Machine, OpenError> {
    loop {
        match Machine::open(place(cluster, paths)).await {
            // The holder ends within seconds, and the lock has no event for those who wait.
            Err(OpenError::Lock(LockError::Held { .. })) => tokio::time::sleep(Duration::from_millis(50)).await,
            other => return other,
        }
    }
}

/// Where the engine keeps what it must remember of this machine.
fn place(cluster: &Cluster, paths: &Paths) -> Place {
    Place {
        owner: cluster.name.owner(),
        state: paths.state.join("machine"),
        run: paths.run.join("machine"),
        log: paths.log.clone(),
    }
}

/// Makes the directories that must be there before anything else.
pub fn make_directories(paths: &Paths) -> std::io::Result<()> {
    let private = |path: &Path| std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    std::fs::create_dir_all(&paths.config)?;
    private(&paths.state)?;
    private(&paths.tunnel())?;
    private(&paths.run)
}

/// Destroys keys and memory.
pub fn purge(paths: &Paths) -> std::io::Result<()> {
    for directory in [&paths.state, &paths.run, &paths.log] {
        remove(std::fs::remove_dir_all(directory))?;
    }
    remove(std::fs::remove_file(paths.passphrase()))
}

fn remove(outcome: std::io::Result<()>) -> std::io::Result<()> {
    match outcome {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
