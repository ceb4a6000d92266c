//! The job that proves a worker: placed, sent, started and ended by the real queue.

use std::io;
use std::process::{Output, Stdio};
use std::time::Duration;

use landbridge_node::wire::{CANARY_WORD, Failure};
use landbridge_pki::NodeName;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use super::CANARY_QUEUE;
use super::command::{Commands, Request, complaint};
use super::configuration::CANARY_USER;
use super::qstat::{self, Standing};
use crate::scheduler::{SchedulerError, Word};

/// What the job ends with when all is well: not 0, which a job that never ran may have too.
const GOOD_END: i32 = 42;

/// How often a job that waits is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// How long a job may be on its way to the worker: an execution daemon confirms it in its next turn, a second later.
const ON_ITS_WAY: Duration = Duration::from_secs(8);

/// Submits the job and waits for its word, or for its end, of which Grid Engine tells a second later and up to ten when the
/// queue master was started anew. A job that can't be started is known before the deadline.
pub(super) async fn run(
    commands: &Commands,
    worker: &NodeName,
    word: &Word,
    deadline: Duration,
) -> Result<Result<(), Failure>, SchedulerError> {
    let until = Instant::now() + deadline;
    let seen = loop {
        // It goes on in a task of its own: whoever leaves `qsub` before the job's end stays registered with the queue master.
        let end = tokio::spawn(submit(commands.clone(), worker.clone(), script(word)));
        tokio::select! {
            () = word.heard() => break None,
            output = end => {
                let output = output.map_err(io::Error::other).flatten();
                break ended(&output.map_err(|error| failed(worker, error.to_string()))?);
            }
            trouble = trouble(commands, worker) => match trouble? {
                Trouble::Stuck(why) => break Some(why),
                Trouble::Lost => forget(commands, worker).await?,
            },
            () = tokio::time::sleep_until(until) => break Some(late(commands, worker).await?),
        }
    };
    let Some(seen) = seen else { return Ok(Ok(())) };
    forget(commands, worker).await?;
    Ok(Err(Failure {
        expected: format!("a job in {CANARY_QUEUE} to run on {worker} and to end well within {}s", deadline.as_secs()),
        seen,
        remedy: format!(
            "look at `qstat -f -q '*@{worker}'` on the front-end and at /var/spool/gridengine/execd/{worker}/messages on {worker}"
        ),
    }))
}

/// A job that a crash of ours has left behind would hold the only slot, and the error of an earlier one the queue.
pub(super) async fn make_way(commands: &Commands, worker: &NodeName) -> Result<(), SchedulerError> {
    tokio::try_join!(forget(commands, worker), clear(commands, worker)).map(drop)
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

async fn clear(commands: &Commands, worker: &NodeName) -> Result<(), SchedulerError> {
    let instance = format!("{CANARY_QUEUE}@{worker}");
    let (operation, argv) = ("clearing the canary queue", vec!["qmod", "-c", &instance]);
    commands.ask(Request { operation, object: worker.as_str(), argv, settled: &[] }).await.map(drop)
}

fn name(worker: &NodeName) -> String {
    format!("canary-{worker}")
}

/// The script goes the way of every job: through the queue master to the worker's spool. Its word is left where the worker's
/// own program looks for it; without that one (somebody else's execution daemon) its end says enough.
fn script(word: &Word) -> String {
    let word = word.text();
    format!(
        "[ \"$QUEUE\" = {CANARY_QUEUE} ] && [ -d \"$TMPDIR\" ] || exit 1\n\
         {{ echo {word} >{CANARY_WORD}; }} 2>/dev/null\nexit {GOOD_END}\n"
    )
}

async fn submit(commands: Commands, worker: NodeName, script: String) -> io::Result<Output> {
    let (name, host) = (name(&worker), format!("hostname={worker}"));
    let as_nobody = ["setpriv", "--reuid", CANARY_USER, "--regid", "nogroup", "--clear-groups"];
    let job = ["qsub", "-sync", "y", "-q", CANARY_QUEUE, "-l", &host, "-N", &name, "-S", "/bin/sh", "-r", "n"];
    let files = ["-wd", "/", "-o", "/dev/null", "-j", "y"];
    let argv: Vec<&str> = as_nobody.into_iter().chain(job).chain(files).collect();
    let mut child = commands.command(&argv).stdin(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(script.as_bytes()).await?;
    }
    child.wait_with_output().await
}

/// What is wrong with the end of the job; `None` when it ended well. `qsub -sync y` ends as the job did.
fn ended(output: &Output) -> Option<String> {
    (output.status.code() != Some(GOOD_END)).then(|| complaint(output))
}

/// What can become of a job that is not as it should be.
enum Trouble {
    /// It could not be started, for this reason, which does not change by itself.
    Stuck(String),
    /// It was sent, and has not arrived: the connection that it went over was dead without the queue master's knowing it.
    /// Grid Engine itself would send it again after minutes.
    Lost,
}

/// Waits for trouble.
async fn trouble(commands: &Commands, worker: &NodeName) -> Result<Trouble, SchedulerError> {
    let mut sent = None;
    loop {
        tokio::time::sleep(LOOK).await;
        let standing = qstat::standing(commands, worker, &name(worker)).await?;
        if let Some(failed) = standing.as_ref().filter(|standing| standing.failed()) {
            return Ok(Trouble::Stuck(failed.to_string()));
        }
        sent = standing.filter(Standing::is_on_its_way).map(|_| sent.unwrap_or_else(Instant::now));
        if sent.is_some_and(|sent| sent.elapsed() > ON_ITS_WAY) {
            return Ok(Trouble::Lost);
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
