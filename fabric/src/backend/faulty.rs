//! A backend that fails on purpose, at a chosen step: for tests of what happens then.

use std::future::{Future, pending};
use std::sync::Arc;

use nix::errno::Errno;
use tokio::sync::Notify;

use super::{Backend, BackendError, Refusal};
use crate::feature::Feature;
use crate::{Observed, Step};

/// What goes wrong, and at which call of [`Backend::perform`], counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The step is refused (`ENOMEM`).
    Refuse(usize),
    /// This step and every later one is refused: nothing can be undone either.
    RefuseFrom(usize),
    /// The process dies before the step: the future never ends, and is to be dropped on [`Faulty::death`].
    DieBefore(usize),
    /// The process dies after the step, before it can be marked as done.
    DieAfter(usize),
}

/// Another backend with a fault.
#[derive(Debug)]
pub struct Faulty<'a, B> {
    backend: &'a mut B,
    fault: Option<Fault>,
    calls: usize,
    death: Arc<Notify>,
}

impl<'a, B: Backend> Faulty<'a, B> {
    /// Lets `backend` fail, or not.
    pub fn new(backend: &'a mut B, fault: impl Into<Option<Fault>>) -> Self {
        Self { backend, fault: fault.into(), calls: 0, death: Arc::default() }
    }

    /// Ends when the process dies.
    pub fn death(&self) -> impl Future<Output = ()> + use<B> {
        let death = Arc::clone(&self.death);
        async move { death.notified().await }
    }

    async fn die<T>(&mut self) -> T {
        self.death.notify_one();
        pending().await
    }

    /// How often [`Backend::perform`] was called.
    pub fn calls(&self) -> usize {
        self.calls
    }
}

impl<B: Backend> Backend for Faulty<'_, B> {
    async fn observe(&mut self) -> Result<Observed, BackendError> {
        self.backend.observe().await
    }

    async fn perform(&mut self, step: &Step) -> Result<(), BackendError> {
        let call = self.calls;
        self.calls += 1;
        match self.fault {
            Some(Fault::Refuse(at)) if at == call => Err(BackendError::of(step, Refusal::errno(Errno::ENOMEM))),
            Some(Fault::RefuseFrom(at)) if at <= call => Err(BackendError::of(step, Refusal::errno(Errno::ENOMEM))),
            Some(Fault::DieBefore(at)) if at == call => self.die().await,
            Some(Fault::DieAfter(at)) if at == call => {
                self.backend.perform(step).await?;
                self.die().await
            }
            _ => self.backend.perform(step).await,
        }
    }

    async fn supports(&mut self, feature: Feature) -> Result<bool, BackendError> {
        self.backend.supports(feature).await
    }
}
