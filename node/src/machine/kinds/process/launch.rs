//! Starting a program that outlives us, with no moment at which it runs unknown.
//!
//! What we fork is a gate: a shell that leads a session of its own and waits for a line from us. Only when its process id
//! and start time are on disk do we send that line, and the gate becomes the program. If we die before, the gate reads
//! the end of the file instead and ends by itself.

use std::io;
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use super::instance::{self, Instance};
use super::ready;
use crate::machine::command::{environment, open_log, program};
use crate::machine::pidfd::Identity;
use crate::machine::{Cause, Key, Place, Process, StepError, stray};

/// `$0` is the process's name, for the shell's own messages; `$@` is the argv. Shells put variables of their own into the
/// environment, which the program does not get.
pub(super) const GATE: &str = r#"read -r go && unset PWD OLDPWD SHLVL _ go && exec "$@" </dev/null"#;

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
    let behind = open_log(&log)?.metadata()?.len();
    let mut child = gate(place, wanted)?;
    let identity = child.id().map(|pid| Identity::of(pid.cast_signed())).transpose()?.flatten();
    let identity = identity.ok_or_else(|| Cause::Refused("setsid or sh ended at once; are they installed?".into()))?;
    Instance::record(place, wanted, identity.clone())?;
    let process = identity.open()?;
    let mut go = child.stdin.take().ok_or_else(|| io::Error::other("no pipe to the gate"))?;
    go.write_all(b"go\n").await?;
    drop(go);
    ready::wait(wanted, process, &identity, &log, behind).await
}

fn gate(place: &Place, wanted: &Process) -> Result<Child, Cause> {
    let log = open_log(&place.log_of(&wanted.name))?;
    let marker = place.marker(&Key::process(&wanted.name));
    Ok(Command::new(program("setsid")?)
        .args(["sh", "-c", GATE, &wanted.name])
        .args(&wanted.argv)
        .env_clear()
        .envs(environment(&wanted.env, &marker))
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()?)
}
