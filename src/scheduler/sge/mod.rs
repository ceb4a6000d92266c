//! Grid Engine 8.1.9, as Debian packages it.
//!
//! The cluster has a cell of its own beside Debian's default one, and everything below it is ours. Two queues: `all.q`
//! takes people's jobs on workers that are open; `canary.q` has one slot on every worker, open or not, and takes only the
//! jobs that prove a worker. A worker's slots are its own entry in `all.q`, so that canaries never wait for jobs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use landbridge_node::machine::MachineSpec;
use landbridge_node::wire::{Failure, HostEntry, QueueBundle};
use landbridge_pki::NodeName;

use super::{Scheduler, SchedulerError, Word};
use crate::paths::Paths;
use crate::spec::{Cluster, ClusterName};

mod attendance;
mod canary;
mod cell;
mod command;
mod configuration;
mod members;
mod qhost;
mod qstat;
mod resources;

use attendance::Attendance;
use command::Commands;

/// The queue master's port (IANA: `sge_qmaster`).
pub const QMASTER_PORT: u16 = 6444;

/// The execution daemon's port (IANA: `sge_execd`).
pub const EXECD_PORT: u16 = 6445;

/// `SGE_ROOT`, on the front-end and on workers.
const ROOT: &str = "/var/lib/gridengine";

/// The programs themselves. What stands in `/usr/bin` is a shell script around them, ten times as slow.
const PROGRAMS: &str = "/usr/lib/gridengine";

/// Takes people's jobs.
const QUEUE: &str = "all.q";

/// Takes canaries.
const CANARY_QUEUE: &str = "canary.q";

/// The cluster's workers.
const HOST_GROUP: &str = "@landbridge";

/// The queue of one cluster.
#[derive(Clone, Debug)]
pub struct Sge {
    cluster: ClusterName,
    front_end: HostEntry,
    /// Our own files.
    folder: PathBuf,
    commands: Commands,
    attendance: Arc<Attendance>,
}

impl Sge {
    /// The queue of `cluster`, whose files stand below `paths`. Nothing is started or asked yet.
    pub fn new(cluster: &Cluster, paths: &Paths) -> Self {
        let address = cluster.vlan.front_end().ip();
        Self {
            cluster: cluster.name.clone(),
            front_end: HostEntry { name: cluster.front_end.name.clone(), address },
            folder: paths.services().join("sge"),
            commands: Commands::new(cell::name(&cluster.name)),
            attendance: Arc::default(),
        }
    }

    /// The same, its commands run through others (`nsenter …`), for one who is not on the front-end.
    pub fn through(mut self, words: Vec<String>) -> Self {
        self.commands = self.commands.through(words);
        self
    }
}

impl Scheduler for Sge {
    fn resources(&self) -> MachineSpec {
        resources::resources(self)
    }

    fn bundle(&self) -> QueueBundle {
        QueueBundle::Sge(cell::bundle(&self.cluster, &self.front_end.name))
    }

    async fn admit(&self, worker: &HostEntry, slots: u32) -> Result<(), SchedulerError> {
        members::admit(&self.commands, &worker.name, slots).await
    }

    async fn open(&self, worker: &NodeName) -> Result<(), SchedulerError> {
        members::open(&self.commands, worker).await
    }

    async fn close(&self, worker: &NodeName) -> Result<(), SchedulerError> {
        members::close(&self.commands, worker).await
    }

    async fn present(&self, worker: &NodeName) -> Result<bool, SchedulerError> {
        self.attendance.has(&self.commands, worker).await
    }

    async fn running(&self, worker: &NodeName) -> Result<u32, SchedulerError> {
        Ok(qhost::ask(&self.commands, worker).await?.map_or(0, |host| host.running()))
    }

    async fn jobs(&self) -> Result<BTreeMap<NodeName, u32>, SchedulerError> {
        qhost::jobs(&self.commands).await
    }

    async fn hang_up(&self, worker: &HostEntry) -> Result<(), SchedulerError> {
        members::hang_up(&self.commands, worker).await
    }

    async fn make_way(&self, worker: &NodeName) -> Result<(), SchedulerError> {
        canary::make_way(&self.commands, worker).await
    }

    async fn canary(
        &self,
        worker: &NodeName,
        word: &Word,
        deadline: Duration,
    ) -> Result<Result<(), Failure>, SchedulerError> {
        canary::run(&self.commands, worker, word, deadline).await
    }

    async fn evict(&self, worker: &NodeName) -> Result<(), SchedulerError> {
        members::evict(&self.commands, worker).await
    }

    async fn remove(&self, worker: &NodeName) -> Result<(), SchedulerError> {
        members::remove(&self.commands, worker).await
    }

    async fn known(&self) -> Result<Vec<NodeName>, SchedulerError> {
        members::known(&self.commands).await
    }
}
