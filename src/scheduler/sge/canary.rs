//! The job that proves a worker: placed, sent, started and ended by the real queue.

use std::process::{Output, Stdio};
use std::time::Duration;

use landbridge_node::wire::Failure;
use landbridge_pki::NodeName;
use tokio::io::AsyncWriteExt;

use super::CANARY_QUEUE;
use super::command::{Commands, Request, complaint};
use super::configuration::CANARY_USER;
use super::qstat::{self, Standing};
use crate::scheduler::SchedulerError;

/// What the job ends with when all is well: not 0, which a job that never ran may have too.
const WORD: i32 = 42;

/// How often a job that waits is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Submits the job and waits for its end. One that can't be started is known before the deadline.
pub(super) async fn run(
    commands: &Commands,
    worker: &NodeName,
    deadline: Duration,
) -> Result<Result<(), Failure>, SchedulerError> {
    // A job that a crash of ours has left behind would hold the only slot, and the error of an earlier one the queue.
    forget(commands, worker).await?;
    let instance = format!("{CANARY_QUEUE}@{worker}");
    let (operation, argv) = ("clearing the canary queue", vec!["qmod", "-c", &instance]);
    commands.ask(Request { operation, object: worker.as_str(), argv, settled: &[] }).await?;
    let seen = tokio::select! {
        output = submit(commands, worker) => ended(&output.map_err(|error| failed(worker, error.to_string()))?),
        stuck = stuck(commands, worker) => Some(stuck?),
        () = tokio::time::sleep(deadline) => Some(late(commands, worker).await?),
    };
    let Some(seen) = seen else { return Ok(Ok(())) };
    forget(commands, worker).await?;
    Ok(Err(Failure {
        expected: format!("a job in {CANARY_QUEUE} to run on {worker} and to end well within {deadline:?}"),
        seen,
        remedy: format!(
            "look at `qstat -f -q '*@{worker}'` on the front-end and at /var/spool/gridengine/execd/{worker}/messages on {worker}"
        ),
    }))
}

/// Deletes whatever canary the worker still has. Not by force: see [`super::members`].
pub(super) async fn forget(commands: &Commands, worker: &NodeName) -> Result<(), SchedulerError> {
    for job in qstat::canaries(commands, &name(worker)).await? {
        let id = job.id.to_string();
        let argv = vec!["qdel", &id];
        let settled = &["does not exist", "already in deletion"];
        let operation = "deleting the canary job";
        commands.ask(Request { operation, object: worker.as_str(), argv, settled }).await?;
    }
    Ok(())
}

fn name(worker: &NodeName) -> String {
    format!("canary-{worker}")
}

/// The script goes the way of every job: through the queue master to the worker's spool.
fn script() -> String {
    format!("[ \"$QUEUE\" = {CANARY_QUEUE} ] && [ -d \"$TMPDIR\" ] && exit {WORD}\nexit 1\n")
}

async fn submit(commands: &Commands, worker: &NodeName) -> std::io::Result<Output> {
    let (name, host) = (name(worker), format!("hostname={worker}"));
    let as_nobody = ["setpriv", "--reuid", CANARY_USER, "--regid", "nogroup", "--clear-groups"];
    let job = ["qsub", "-sync", "y", "-q", CANARY_QUEUE, "-l", &host, "-N", &name, "-S", "/bin/sh", "-r", "n"];
    let files = ["-wd", "/", "-o", "/dev/null", "-j", "y"];
    let argv: Vec<&str> = as_nobody.into_iter().chain(job).chain(files).collect();
    let mut child = commands.command(&argv).stdin(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(script().as_bytes()).await?;
    }
    child.wait_with_output().await
}

/// What is wrong with the end of the job; `None` when it ended with the word. `qsub -sync y` ends as the job did.
fn ended(output: &Output) -> Option<String> {
    (output.status.code() != Some(WORD)).then(|| complaint(output))
}

/// Waits until the job could not be started, which does not change by itself, and says why.
async fn stuck(commands: &Commands, worker: &NodeName) -> Result<String, SchedulerError> {
    loop {
        tokio::time::sleep(LOOK).await;
        if let Some(failed) = qstat::standing(commands, worker, &name(worker)).await?.filter(Standing::failed) {
            return Ok(failed.to_string());
        }
    }
}

/// Why the job has not ended in time.
async fn late(commands: &Commands, worker: &NodeName) -> Result<String, SchedulerError> {
    let standing = qstat::standing(commands, worker, &name(worker)).await?;
    Ok(standing.map_or_else(|| "the queue knows no such job any more".into(), |standing| standing.to_string()))
}

fn failed(worker: &NodeName, seen: String) -> SchedulerError {
    SchedulerError { operation: "submitting the canary job", object: worker.to_string(), seen }
}
