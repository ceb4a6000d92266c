//! A queue in memory, for tests of whoever drives one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use landbridge_node::machine::MachineSpec;
use landbridge_node::wire::{Failure, HostEntry, QueueBundle, SgeBundle};
use landbridge_pki::NodeName;

use super::{Scheduler, SchedulerError, Word};

/// A queue that behaves as the real one and can be told to misbehave. Clones share their state.
#[derive(Clone, Debug, Default)]
pub struct FakeScheduler {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    workers: BTreeMap<NodeName, FakeWorker>,
    calls: Vec<String>,
    outage: Option<String>,
}

/// A worker as the fake sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FakeWorker {
    /// Its slots.
    pub slots: u32,
    /// Whether jobs may start.
    pub open: bool,
    /// Whether its execution daemon has reported.
    pub present: bool,
    /// Jobs that run.
    pub running: u32,
    /// What its canary says; `None`: that all is well.
    pub canary: Option<Failure>,
}

impl FakeScheduler {
    /// Changes a known worker from outside: its daemon reports, its jobs end, its canary fails.
    pub fn set(&self, worker: &NodeName, change: impl FnOnce(&mut FakeWorker)) {
        if let Some(worker) = self.state().workers.get_mut(worker) {
            change(worker);
        }
    }

    /// A worker as it is now; `None` when the queue doesn't know it.
    pub fn worker(&self, worker: &NodeName) -> Option<FakeWorker> {
        self.state().workers.get(worker).cloned()
    }

    /// From now on every call fails with these words, until `None`.
    pub fn outage(&self, words: Option<&str>) {
        self.state().outage = words.map(String::from);
    }

    /// What was asked so far, in order: `admit w1 4`, `open w1` …
    pub fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Notes the call, and fails in an outage.
    fn called(&self, operation: &'static str, object: &str) -> Result<MutexGuard<'_, State>, SchedulerError> {
        let mut state = self.state();
        state.calls.push(format!("{operation} {object}").trim_end().to_owned());
        match state.outage.clone() {
            Some(seen) => Err(SchedulerError { operation, object: object.into(), seen }),
            None => Ok(state),
        }
    }

    fn with<T>(
        &self,
        operation: &'static str,
        worker: &NodeName,
        act: impl FnOnce(&mut FakeWorker) -> T,
    ) -> Result<T, SchedulerError> {
        let mut state = self.called(operation, worker.as_str())?;
        let unknown = || SchedulerError { operation, object: worker.to_string(), seen: "unknown host".into() };
        state.workers.get_mut(worker).map(act).ok_or_else(unknown)
    }
}

impl Scheduler for FakeScheduler {
    fn resources(&self) -> MachineSpec {
        MachineSpec::default()
    }

    fn bundle(&self) -> QueueBundle {
        QueueBundle::Sge(SgeBundle {
            root: "/var/lib/gridengine".into(),
            cell: "fake".into(),
            qmaster_port: 6444,
            execd_port: 6445,
            common: vec![],
        })
    }

    async fn admit(&self, worker: &HostEntry, slots: u32) -> Result<(), SchedulerError> {
        let mut state = self.called("admit", &format!("{} {slots}", worker.name))?;
        let entry = state.workers.entry(worker.name.clone()).or_default();
        (entry.slots, entry.open) = (slots, false);
        Ok(())
    }

    async fn open(&self, worker: &NodeName) -> Result<(), SchedulerError> {
        self.with("open", worker, |worker| worker.open = true)
    }

    async fn close(&self, worker: &NodeName) -> Result<(), SchedulerError> {
        let mut state = self.called("close", worker.as_str())?;
        if let Some(worker) = state.workers.get_mut(worker) {
            worker.open = false;
        }
        Ok(())
    }

    async fn present(&self, worker: &NodeName) -> Result<bool, SchedulerError> {
        let state = self.called("present", worker.as_str())?;
        Ok(state.workers.get(worker).is_some_and(|worker| worker.present))
    }

    async fn jobs(&self) -> Result<BTreeMap<NodeName, u32>, SchedulerError> {
        let state = self.called("jobs", "the queue")?;
        Ok(state.workers.iter().map(|(name, worker)| (name.clone(), worker.running)).collect())
    }

    async fn running(&self, worker: &NodeName) -> Result<u32, SchedulerError> {
        let state = self.called("running", worker.as_str())?;
        Ok(state.workers.get(worker).map_or(0, |worker| worker.running))
    }

    async fn hang_up(&self, worker: &HostEntry) -> Result<(), SchedulerError> {
        self.called("hang up", worker.name.as_str()).map(drop)
    }

    async fn make_way(&self, worker: &NodeName) -> Result<(), SchedulerError> {
        self.called("make way", worker.as_str()).map(drop)
    }

    async fn canary(&self, worker: &NodeName, _: &Word, _: Duration) -> Result<Result<(), Failure>, SchedulerError> {
        self.with("canary", worker, |worker| worker.canary.clone().map_or(Ok(()), Err))
    }

    async fn evict(&self, worker: &NodeName) -> Result<(), SchedulerError> {
        let mut state = self.called("evict", worker.as_str())?;
        if let Some(worker) = state.workers.get_mut(worker) {
            (worker.open, worker.running) = (false, 0);
        }
        Ok(())
    }

    async fn remove(&self, worker: &NodeName) -> Result<(), SchedulerError> {
        self.called("remove", worker.as_str())?.workers.remove(worker);
        Ok(())
    }

    async fn known(&self) -> Result<Vec<NodeName>, SchedulerError> {
        Ok(self.called("known", "")?.workers.keys().cloned().collect())
    }
}
