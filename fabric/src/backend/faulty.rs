//! A backend that fails on purpose, at a chosen step: for tests of what happens then.

use std::future::pending;

use nix::errno::Errno;

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
    /// The process dies before the step: the future never ends, and is to be dropped.
    DieBefore(usize),
    /// The process dies after the step, before it can be marked as done.
    DieAfter(usize),
}

/// Another backend with a fault.
#[derive(Debug)]
pub struct Faulty<'a, B> {
    backend: &'a mut B,
    fault: Fault,
    calls: usize,
}

impl<'a, B: Backend> Faulty<'a, B> {
    /// Lets `backend` fail once.
    pub fn new(backend: &'a mut B, fault: Fault) -> Self {
        Self { backend, fault, calls: 0 }
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
            Fault::Refuse(at) if at == call => Err(BackendError::of(step, Refusal::errno(Errno::ENOMEM))),
            Fault::RefuseFrom(at) if at <= call => Err(BackendError::of(step, Refusal::errno(Errno::ENOMEM))),
            Fault::DieBefore(at) if at == call => pending().await,
            Fault::DieAfter(at) if at == call => {
                self.backend.perform(step).await?;
                pending().await
            }
            _ => self.backend.perform(step).await,
        }
    }

    async fn supports(&mut self, feature: Feature) -> Result<bool, BackendError> {
        self.backend.supports(feature).await
    }
}
