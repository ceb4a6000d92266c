//! Starting a program that outlives us, with no moment at which it runs unknown.
//!
//! What we fork is a gate: a shell that leads a session of its own and waits for a line from us. Only when its process id
//! and start time are on disk do we send that line, and the gate becomes the program. If we die before, the gate reads
//! the end of the file instead and ends by itself.

use super::gate::Gate;
use super::instance::{self, Instance};
use super::ready;
use crate::machine::command::{environment, open_log, program};
use crate::machine::pidfd::Identity;
use crate::machine::{Cause, Key, Place, Process, StepError, stray};
use crate::nice;

/// Starts the program and waits until it is ready. One that fails, or isn't in time, is ended.
pub(super) async fn start(place: &Place, wanted: &Process) -> Result<(), StepError> {
    let failed = |cause: Cause| StepError::new("starting the process", &wanted.name, cause);
    program(&wanted.argv[0]).map_err(failed)?;
    stray::end_twins(&place.marker(&Key::process(&wanted.name)), &wanted.argv).await?;
    ready::nobody_else(&wanted.ready).await.map_err(failed)?;
    let started = launch(place, wanted).await.map_err(failed);
    if started.is_err() {
        // The start's failure is what is told; should this fail too, the undo of the step says so.
        let _ = instance::stop(place, &wanted.name, wanted.children).await;
    }
    started
}

async fn launch(place: &Place, wanted: &Process) -> Result<(), Cause> {
    let log = place.log_of(&wanted.name);
    let file = open_log(&log)?;
    let behind = file.metadata()?.len();
    let marker = place.marker(&Key::process(&wanted.name));
    let gate = Gate::start(&wanted.name, &wanted.argv, environment(&wanted.env, &marker), &file)?;
    if wanted.starts_as_batch {
        nice::as_batch(gate.pid());
    }
    let identity = Identity::of(gate.pid())?;
    let identity = identity.ok_or_else(|| Cause::Refused("sh ended at once; is it as it was installed?".into()))?;
    Instance::record(place, wanted, identity.clone())?;
    let process = identity.open()?;
    gate.open()?;
    ready::wait(wanted, process, &identity, &log, behind).await
}
