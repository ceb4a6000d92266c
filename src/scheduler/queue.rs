//! The queue that the cluster's file names.

use std::collections::BTreeMap;
use std::time::Duration;

use landbridge_node::machine::MachineSpec;
use landbridge_node::wire::{Failure, HostEntry, QueueBundle};
use landbridge_pki::NodeName;

use super::fake::FakeScheduler;
use super::sge::Sge;
use super::{Scheduler as _, SchedulerError, Word};
use crate::paths::Paths;
use crate::spec::{Cluster, SchedulerKind};

/// One of the queues, or none: then every question has the answer that lets a worker pass.
#[derive(Clone, Debug)]
pub enum Queue {
    /// No queue.
    None,
    /// Grid Engine.
    Sge(Sge),
    /// A double with a memory, for tests of the worker's life.
    Fake(FakeScheduler),
}

/// Asks the one that is there.
macro_rules! ask {
    ($self:ident, $queue:ident => $question:expr, $none:expr) => {
        match $self {
            Queue::None => $none,
            Queue::Sge($queue) => $question,
            Queue::Fake($queue) => $question,
        }
    };
}

impl Queue {
    /// The queue of the cluster's file.
    pub fn of(cluster: &Cluster, paths: &Paths) -> Self {
        match cluster.services.scheduler {
            SchedulerKind::Sge => Self::Sge(Sge::new(cluster, paths)),
            // The file's check takes no cluster with Slurm yet.
            SchedulerKind::Slurm | SchedulerKind::None => Self::None,
        }
    }

    /// See [`super::Scheduler::resources`].
    pub fn resources(&self) -> MachineSpec {
        ask!(self, q => q.resources(), MachineSpec::default())
    }

    /// See [`super::Scheduler::bundle`].
    pub fn bundle(&self) -> Option<QueueBundle> {
        ask!(self, q => Some(q.bundle()), None)
    }

    /// See [`super::Scheduler::admit`].
    pub async fn admit(&self, worker: &HostEntry, slots: u32) -> Result<(), SchedulerError> {
        ask!(self, q => q.admit(worker, slots).await, Ok(()))
    }

    /// See [`super::Scheduler::open`].
    pub async fn open(&self, worker: &NodeName) -> Result<(), SchedulerError> {
        ask!(self, q => q.open(worker).await, Ok(()))
    }

    /// See [`super::Scheduler::close`].
    pub async fn close(&self, worker: &NodeName) -> Result<(), SchedulerError> {
        ask!(self, q => q.close(worker).await, Ok(()))
    }

    /// See [`super::Scheduler::present`].
    pub async fn present(&self, worker: &NodeName) -> Result<bool, SchedulerError> {
        ask!(self, q => q.present(worker).await, Ok(true))
    }

    /// See [`super::Scheduler::running`].
    pub async fn running(&self, worker: &NodeName) -> Result<u32, SchedulerError> {
        ask!(self, q => q.running(worker).await, Ok(0))
    }

    /// See [`super::Scheduler::jobs`].
    pub async fn jobs(&self) -> Result<BTreeMap<NodeName, u32>, SchedulerError> {
        ask!(self, q => q.jobs().await, Ok(BTreeMap::new()))
    }

    /// See [`super::Scheduler::hang_up`].
    pub async fn hang_up(&self, worker: &HostEntry) -> Result<(), SchedulerError> {
        ask!(self, q => q.hang_up(worker).await, Ok(()))
    }

    /// See [`super::Scheduler::make_way`].
    pub async fn make_way(&self, worker: &NodeName) -> Result<(), SchedulerError> {
        ask!(self, q => q.make_way(worker).await, Ok(()))
    }

    /// See [`super::Scheduler::canary`].
    pub async fn canary(
        &self,
        worker: &NodeName,
        word: &Word,
        deadline: Duration,
    ) -> Result<Result<(), Failure>, SchedulerError> {
        ask!(self, q => q.canary(worker, word, deadline).await, Ok(Ok(())))
    }

    /// See [`super::Scheduler::evict`].
    pub async fn evict(&self, worker: &NodeName) -> Result<(), SchedulerError> {
        ask!(self, q => q.evict(worker).await, Ok(()))
    }

    /// See [`super::Scheduler::remove`].
    pub async fn remove(&self, worker: &NodeName) -> Result<(), SchedulerError> {
        ask!(self, q => q.remove(worker).await, Ok(()))
    }

    /// See [`super::Scheduler::known`].
    pub async fn known(&self) -> Result<Vec<NodeName>, SchedulerError> {
        ask!(self, q => q.known().await, Ok(Vec::new()))
    }
}
