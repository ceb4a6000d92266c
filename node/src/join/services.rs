//! What follows the link, side by side: the proofs of the way to the front-end, and the services, none of which needs another.
//! Where the way is not as it should be, the services end with it: their own complaints would say less.

use std::cell::Cell;
use std::time::SystemTime;

use tokio::sync::SetOnce;

use super::journey::{Journey, StageFailed};
use super::nfs::knock;
use super::stages::{is_needed, resources};
use super::{Worker, address, mtu, nfs, nis, queue};
use crate::machine::{Beside, ConvergeError, MachineSpec};
use crate::wire::{Failure, Stage};
use crate::words;

/// The stages that begin together.
const TOGETHER: [Stage; 5] = [Stage::Address, Stage::Mtu, Stage::Nfs, Stage::Nis, Stage::Queue];

/// What the stages share.
pub(super) struct Services<'a> {
    /// Where stages are timed and told.
    pub(super) journey: &'a Journey,
    /// The machine that each adds its part to.
    pub(super) machine: Beside<'a>,
    /// Who it becomes.
    pub(super) worker: &'a Worker,
    /// Set when anything on the machine had to be changed.
    pub(super) changed: &'a Cell<bool>,
    /// Set when the queue may send jobs.
    pub(super) queued: &'a SetOnce<()>,
}

impl Services<'_> {
    /// Runs the stages, and tells of the first that failed.
    pub(super) async fn all(&self) -> Result<(), StageFailed> {
        self.journey.line_up(&TOGETHER);
        for stage in TOGETHER.into_iter().filter(|stage| !is_needed(*stage, &self.worker.bundle)) {
            self.journey.not_needed(stage);
        }
        let placed = SetOnce::new();
        let served = async {
            placed.wait().await;
            Ok(Box::pin(self.served()).await)
        };
        tokio::try_join!(self.way(&placed), served)?.1
    }

    /// Says when the machine has its address, and proves the way to the front-end.
    async fn way(&self, placed: &SetOnce<()>) -> Result<(), StageFailed> {
        let work = async |until| {
            address::awaited(self.worker, until).await?;
            address::introduce_front_end(self.worker).await;
            mtu::prepare_for_more(self.worker).await?;
            let _ = placed.set(());
            address::prove(self.worker, until).await
        };
        self.journey.stage(Stage::Address, work).await?;
        self.journey.stage(Stage::Mtu, async |until| mtu::prove(self.worker, until).await).await
    }

    /// NFS and the queue begin at once, NFS first: its program soon leaves the processor, and waits for the server. The queue's
    /// takes the processor for long, and everybody will wait for it; NIS begins behind that, since nobody waits for it.
    async fn served(&self) -> Result<(), StageFailed> {
        let begun = SetOnce::new();
        let queue = async {
            let queue = self.queue().await;
            let _ = begun.set(());
            queue
        };
        let nis = async {
            begun.wait().await;
            self.nis().await
        };
        let (nfs, queue, nis) = tokio::join!(self.nfs(), queue, nis);
        nfs.and(nis).and(queue)
    }

    async fn nfs(&self) -> Result<(), StageFailed> {
        let Some(bundle) = &self.worker.bundle.nfs else { return Ok(()) };
        let work = async |until| {
            let is_there = async { knock(nfs::server(bundle)).await.map_err(|seen| nfs::unreached(bundle, seen)) };
            let mounted = async {
                for export in nfs::stale(bundle, until).await {
                    let gone = self.machine.let_go(export).await;
                    gone.map_err(|error| words::local("to mount anew what is stale", &error))?;
                }
                self.extend(Stage::Nfs).await.map_err(|error| nfs::explain(bundle, &error))
            };
            tokio::try_join!(is_there, mounted)?;
            nfs::prove(bundle, until).await
        };
        self.journey.stage(Stage::Nfs, work).await
    }

    async fn nis(&self) -> Result<(), StageFailed> {
        let Some(bundle) = &self.worker.bundle.nis else { return Ok(()) };
        let work = async |until| {
            let before = SystemTime::now() - nis::GRAIN;
            let changed = self.extend(Stage::Nis).await.map_err(|error| nis::explain(&error))?;
            nis::prove(bundle, changed.then_some(before), until).await
        };
        self.journey.stage(Stage::Nis, work).await
    }

    /// That the execution daemon has registered, the front-end proves.
    async fn queue(&self) -> Result<(), StageFailed> {
        let Some(bundle) = &self.worker.bundle.queue else { return Ok(()) };
        let work = async |_| -> Result<(), Failure> {
            let anew = queue::end_if_cut_off(self.machine, bundle, self.worker).await;
            anew.map_err(|error| words::local("an execution daemon that finds its queue master", &error))?;
            let master = queue::master(bundle, self.worker);
            let is_there = async { knock(master).await.map_err(|seen| queue::unreached(bundle, self.worker, seen)) };
            let runs = async { self.extend(Stage::Queue).await.map_err(|error| queue::explain(self.worker, &error)) };
            tokio::try_join!(is_there, runs)?;
            let _ = self.queued.set(());
            Ok(())
        };
        self.journey.stage(Stage::Queue, work).await
    }

    async fn extend(&self, stage: Stage) -> Result<bool, ConvergeError> {
        self.make(&resources(stage, self.worker)).await
    }

    /// Whether anything had to be changed.
    async fn make(&self, part: &MachineSpec) -> Result<bool, ConvergeError> {
        let changed = !self.machine.extend(part).await?.done.is_empty();
        self.changed.set(self.changed.get() || changed);
        Ok(changed)
    }
}
