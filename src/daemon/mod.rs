//! The daemon: the join API's door, the local API on a unix socket, the front-end's convergence, and time.
//!
//! The data plane outlives it: tunnels, mounts, maps and the queue go on when it is dead, and a known worker can reconnect.

mod answer;
mod audit;
mod boot;
mod converge;
mod deploy;
mod far;
mod hosts;
mod local;
mod people;
mod pki;
mod providers;
mod report;
mod stranded;
mod tls;
mod wish;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::enroll::{self, Limits};
use crate::frontend::{self, Surroundings};
use crate::lifecycle::{Doorkeeper, Parts, Roster, Tempo};
use crate::paths::Paths;
use crate::scheduler::Queue;
use crate::spec::Cluster;
use crate::store::Sqlite;
use crate::tunnel::Tunnel;

pub use answer::{Changed, LocalError};
pub use audit::{AuditFinding, AuditReport, RepairReport, Repaired};
pub use boot::ConsoleView;
pub use local::{DestroyRequest, HostRequest};
pub use pki::{PkiView, RevokeRequest, RotateRequest};
pub use stranded::stranded;
pub use wish::{Wish, members};

/// How often time alone is looked at: silent joins, unused plans, expiring certificates.
const TICK: Duration = Duration::from_secs(10);

/// Everything that can keep the daemon from starting.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Another one runs.
    #[error("another landbridge daemon holds {0}: stop it with landbridge down")]
    Running(String),
    /// A listener.
    #[error("listening on {on} failed")]
    Listen {
        /// The address or path.
        on: String,
        /// Why.
        source: std::io::Error,
    },
    /// The store.
    #[error("opening the store failed")]
    Store(#[from] crate::store::StoreError),
    /// The keys.
    #[error("opening the keys failed")]
    Keys(#[from] frontend::KeysError),
    /// The machine.
    #[error("looking at this machine failed")]
    Look(#[from] std::io::Error),
}

/// Runs until SIGTERM or SIGINT.
pub async fn run(cluster: Cluster, file: &Path, paths: Paths) -> Result<(), DaemonError> {
    let _lock = lock(&paths)?;
    let around = Surroundings::look(file)?;
    let cluster = Arc::new(cluster);
    let store: Arc<Sqlite> = Arc::new(Sqlite::open(&paths.database())?);
    let mut authority = frontend::open_authority(&paths)?;
    let door = TcpListener::bind(("0.0.0.0", cluster.front_end.api_port))
        .await
        .map_err(|source| DaemonError::Listen { on: format!("TCP port {}", cluster.front_end.api_port), source })?;
    // What it changes of the keys is changed before it counts as started.
    let (renewer, tls) = tls::start(&cluster, &paths, &mut authority)?;
    let socket = local_socket(&paths)?;
    let stop = CancellationToken::new();
    let (people, nfs_server) = (around.people.clone(), around.nfs_server);
    let converging =
        converge::start(Arc::clone(&cluster), paths.clone(), around, Arc::clone(&store) as _, stop.clone());
    let roster = Roster::new(Parts {
        providers: providers::providers(&cluster).await,
        queue: Queue::of(&cluster, &paths),
        tunnel: Tunnel::new(&paths),
        cluster,
        paths,
        store,
        authority,
        people,
        nfs_server,
        tempo: Tempo::default(),
        node: None,
        follow: converging.follow,
    });
    let gate = Arc::new(Doorkeeper(Arc::clone(&roster)));
    let door = tokio::spawn(enroll::serve(door, tls, gate, Limits::default(), stop.clone()));
    let local = tokio::spawn(local::serve(socket, Arc::clone(&roster), converging.health, stop.clone()));
    let far = tokio::spawn(far::keep(Arc::clone(&roster), stop.clone()));
    let people = tokio::spawn(people::keep(Arc::clone(&roster), stop.clone()));
    let clock = tokio::spawn(tick(Arc::clone(&roster), renewer, stop.clone()));
    if let Err(error) = roster.resume().await {
        tracing::error!(error = &error as &dyn std::error::Error, "going on with what was under way failed");
    }
    tracing::info!("the daemon is up");
    terminated().await;
    tracing::info!("the daemon stops; tunnels and services go on");
    stop.cancel();
    let _ = tokio::join!(door, local, far, people, clock, converging.task);
    Ok(())
}

async fn terminated() {
    let (mut term, mut int) = (
        signal(SignalKind::terminate()).expect("a signal handler"),
        signal(SignalKind::interrupt()).expect("a handler"),
    );
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

async fn tick(roster: Arc<Roster>, mut renewer: tls::Renewer, stop: CancellationToken) {
    let mut clock = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            _ = clock.tick() => {}
            () = roster.trust_news() => {}
            () = stop.cancelled() => return,
        }
        let now = Timestamp::now();
        if let Err(error) = roster.tick(now) {
            tracing::error!(error = &error as &dyn std::error::Error, "looking after the workers failed");
        }
        if let Err(error) = roster.with_authority(|authority| renewer.renew_when_due(authority, now)) {
            tracing::error!(error = &error as &dyn std::error::Error, "renewing the front-end's certificate failed");
        }
    }
}

/// One daemon a machine: a lock that the kernel takes back when its holder dies.
fn lock(paths: &Paths) -> Result<nix::fcntl::Flock<std::fs::File>, DaemonError> {
    let path = paths.run.join("daemon.lock");
    let file = std::fs::File::create(&path)?;
    nix::fcntl::Flock::lock(file, nix::fcntl::FlockArg::LockExclusiveNonblock)
        .map_err(|_| DaemonError::Running(path.display().to_string()))
}

/// The socket of a daemon that died is in the way; the lock proves that nobody listens on it.
fn local_socket(paths: &Paths) -> Result<UnixListener, DaemonError> {
    let path = paths.socket();
    let failed = |source| DaemonError::Listen { on: path.display().to_string(), source };
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(failed(e)),
        _ => {}
    }
    // The directory is 0700: nobody but root reaches the socket, whatever its own mode.
    UnixListener::bind(&path).map_err(failed)
}
