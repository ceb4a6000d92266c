//! `landbridge worker`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Subcommand;
use jiff::Timestamp;
use landbridge_pki::NodeName;

use super::client::Client;
use super::render::{self, Output};
use super::{CliError, Context, Listed, Style, boot};
use crate::daemon::{Changed, DestroyRequest};
use crate::view::{WorkerState, WorkerView};

#[derive(Subcommand, Debug)]
pub(super) enum Worker {
    /// Ask for machines that become workers by themselves: on physical hosts through their hypervisors, in clouds through EC2's API.
    Boot(Box<boot::Boot>),
    /// What a worker's machine wrote to its console; of one that failed, as it was kept.
    Console {
        /// Its name.
        name: NodeName,
    },
    /// Every worker, wherever it runs.
    List(Listed),
    /// One worker, with the timeline of its join.
    Show {
        /// Its name.
        name: NodeName,
        #[command(flatten)]
        output: Listed,
    },
    /// Let no more jobs start on a worker; those that run go on.
    Drain(Leave),
    /// Let jobs start on a drained worker again.
    Resume {
        /// Its name.
        name: NodeName,
    },
    /// Send a worker away: drain, unmount, cut its tunnel, revoke its certificate, release its address.
    Destroy {
        #[command(flatten)]
        leave: Leave,
        /// Don't wait for its jobs: they are lost.
        #[arg(long)]
        now: bool,
    },
}

#[derive(clap::Args, Debug)]
pub(super) struct Leave {
    /// Its name.
    name: NodeName,
    /// Return only when it is done, or after this long with an error.
    #[arg(long, value_name = "DURATION", num_args = 0..=1, default_missing_value = "10m", value_parser = super::duration)]
    wait: Option<Duration>,
}

pub(super) fn run(context: &Context, worker: Worker) -> Result<ExitCode, CliError> {
    let client = Client::new(context)?;
    match worker {
        Worker::Boot(wish) => return boot::boot(context, &wish),
        Worker::Console { name } => return boot::console(&client, &name),
        Worker::List(output) => {
            let workers: Vec<WorkerView> = client.get("/v1/workers")?;
            match output.output {
                Output::Json => print!("{}", render::json(&workers)),
                Output::Table => {
                    print!("{}", render::worker_list(&workers, Timestamp::now(), Style::of(&std::io::stdout())));
                }
            }
        }
        Worker::Show { name, output } => {
            let worker: WorkerView = client.get(&format!("/v1/workers/{name}"))?;
            match output.output {
                Output::Json => print!("{}", render::json(&worker)),
                Output::Table => {
                    print!("{}", render::worker_show(&worker, Timestamp::now(), Style::of(&std::io::stdout())));
                }
            }
        }
        Worker::Drain(leave) => {
            let changed: Changed = client.post(&format!("/v1/workers/{}/drain", leave.name), &())?;
            say(&client, &leave.name, changed, "drains: no more jobs start on it")?;
            wait(&client, &leave, WorkerState::Drained)?;
        }
        Worker::Resume { name } => {
            let changed: Changed = client.post(&format!("/v1/workers/{name}/resume"), &())?;
            say(&client, &name, changed, "takes jobs again")?;
        }
        Worker::Destroy { leave, now } => {
            let request = DestroyRequest { now };
            let changed: Changed = client.post(&format!("/v1/workers/{}/destroy", leave.name), &request)?;
            say(&client, &leave.name, changed, "leaves")?;
            wait(&client, &leave, WorkerState::Gone)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What has changed; or, when nothing has, how it is.
fn say(client: &Client, name: &NodeName, changed: Changed, new: &str) -> Result<(), CliError> {
    if changed.changed {
        println!("{name} {new}");
    } else {
        let worker: WorkerView = client.get(&format!("/v1/workers/{name}"))?;
        println!("{name} is {} already", worker.state);
    }
    Ok(())
}

/// Waits for a state; the daemon has no subscription for people, who look four times a second.
fn wait(client: &Client, leave: &Leave, state: WorkerState) -> Result<(), CliError> {
    let Some(patience) = leave.wait else { return Ok(()) };
    let start = Instant::now();
    loop {
        let worker: WorkerView = client.get(&format!("/v1/workers/{}", leave.name))?;
        if worker.state == state {
            println!("{} is {state}, after {:.1} s", leave.name, start.elapsed().as_secs_f64());
            return Ok(());
        }
        if start.elapsed() > patience {
            return Err(CliError::Refused(format!("{} is still {}", leave.name, worker.state)));
        }
        std::thread::sleep(Duration::from_millis(250));
    }
}
