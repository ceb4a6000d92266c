//! The queue, whichever it is.

pub mod fake;
mod queue;
pub mod sge;
mod word;

pub use queue::Queue;
pub use word::Word;

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use landbridge_node::machine::MachineSpec;
use landbridge_node::wire::{Failure, HostEntry, QueueBundle};
use landbridge_pki::NodeName;

/// A queue that workers join and leave. Every call is idempotent: twice is once.
pub trait Scheduler: Send + Sync {
    /// What the front-end needs for the queue master to run.
    fn resources(&self) -> MachineSpec;

    /// What a worker needs to serve the queue.
    fn bundle(&self) -> QueueBundle;

    /// Makes the worker known, its slots closed.
    fn admit(&self, worker: &HostEntry, slots: u32) -> impl Future<Output = Result<(), SchedulerError>> + Send;

    /// Lets jobs start on the worker.
    fn open(&self, worker: &NodeName) -> impl Future<Output = Result<(), SchedulerError>> + Send;

    /// Lets no more jobs start on the worker; those that run go on.
    fn close(&self, worker: &NodeName) -> impl Future<Output = Result<(), SchedulerError>> + Send;

    /// Ends what connections the queue master has to the execution daemon of before: its machine was started anew, and they
    /// are dead without knowing it.
    fn hang_up(&self, worker: &HostEntry) -> impl Future<Output = Result<(), SchedulerError>> + Send;

    /// Whether the worker's execution daemon reports to the queue master.
    fn present(&self, worker: &NodeName) -> impl Future<Output = Result<bool, SchedulerError>> + Send;

    /// Jobs that run on the worker now.
    fn running(&self, worker: &NodeName) -> impl Future<Output = Result<u32, SchedulerError>> + Send;

    /// How many jobs of people's run now, by worker; one that has none may be missing.
    fn jobs(&self) -> impl Future<Output = Result<BTreeMap<NodeName, u32>, SchedulerError>> + Send;

    /// Takes away what an earlier canary has left, so that a new one can run: its job, and the worker's error because of it.
    fn make_way(&self, worker: &NodeName) -> impl Future<Output = Result<(), SchedulerError>> + Send;

    /// Runs a job on the worker, closed or not, until its word has come back from there, or its good end is known, whichever is
    /// first. `Ok(Err(_))`: it didn't run or didn't succeed.
    fn canary(
        &self,
        worker: &NodeName,
        word: &Word,
        deadline: Duration,
    ) -> impl Future<Output = Result<Result<(), Failure>, SchedulerError>> + Send;

    /// Lets no more jobs start on the worker, and ends those that run: its execution daemon is told to.
    fn evict(&self, worker: &NodeName) -> impl Future<Output = Result<(), SchedulerError>> + Send;

    /// Removes every trace of the worker. Its running jobs are lost: drain first.
    fn remove(&self, worker: &NodeName) -> impl Future<Output = Result<(), SchedulerError>> + Send;

    /// Every worker that the queue knows, for the audit.
    fn known(&self) -> impl Future<Output = Result<Vec<NodeName>, SchedulerError>> + Send;
}

/// A command to the queue that failed.
#[derive(Debug, thiserror::Error)]
#[error("{operation} of {object} failed: {seen}")]
pub struct SchedulerError {
    /// What was tried, for example `adding the execution host`.
    pub operation: &'static str,
    /// To whom.
    pub object: String,
    /// What the queue said.
    pub seen: String,
}
