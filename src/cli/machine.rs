//! `landbridge plan`, `up`, `down`: this machine as the front-end.

use std::process::ExitCode;

use landbridge_node::machine::{ConvergeError, Machine, MachineSpec, Plan, Report};

use super::progress::Steps;
use super::{CliError, Context, check};
use crate::daemon;
use crate::frontend::{self, Surroundings};
use crate::paths::Paths;
use crate::scheduler::Queue;
use crate::spec::Cluster;
use crate::store::{Sqlite, Store as _};

#[derive(clap::Args, Debug)]
pub(super) struct Up {
    /// Show what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(clap::Args, Debug)]
pub(super) struct Down {
    /// Even while workers or hosts are part of the cluster: they lose it.
    #[arg(long)]
    force: bool,
    /// Also destroy the keys and all memory: every certificate is worthless then.
    #[arg(long)]
    purge: bool,
}

/// What `plan` says with its exit status: 0 nothing, 2 changes.
const CHANGES: u8 = 2;

pub(super) fn plan(context: &Context) -> Result<ExitCode, CliError> {
    let cluster = check::load(context)?;
    let spec = spec(context, &cluster)?;
    let plan = runtime()?.block_on(preview(context, &cluster, &spec))?;
    if plan.is_empty() {
        println!("nothing would change");
        return Ok(ExitCode::SUCCESS);
    }
    print!("{plan}");
    Ok(ExitCode::from(CHANGES))
}

pub(super) fn up(context: &Context, up: &Up) -> Result<ExitCode, CliError> {
    if up.dry_run {
        return plan(context).map(|_| ExitCode::SUCCESS);
    }
    let cluster = check::load(context)?;
    let spec = spec(context, &cluster)?;
    if is_unknown(context) {
        // A conflict must leave no trace of the try.
        runtime()?.block_on(preview(context, &cluster, &spec))?;
    }
    frontend::make_directories(&context.paths)?;
    let report = bring_up(context, &cluster, &spec)?;
    if report.done.is_empty() {
        println!("{} is up; nothing had to change", cluster.name);
    } else {
        println!("{} is up: landbridge status", cluster.name);
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn down(context: &Context, down: &Down) -> Result<ExitCode, CliError> {
    let cluster = check::load(context)?;
    if !down.force {
        refuse_while_used(context)?;
    }
    bring_down(context, &cluster)?;
    if down.purge {
        frontend::purge(&context.paths)?;
        println!("{} is down, and nothing of it is left", cluster.name);
    } else {
        let state = context.paths.state.display();
        println!("{} is down; its keys and memory stay in {state} (--purge destroys them)", cluster.name);
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes this machine as `spec` says, showing each step as it begins.
fn bring_up(context: &Context, cluster: &Cluster, spec: &MachineSpec) -> Result<Report, CliError> {
    let mut steps = Steps::new();
    let report = runtime()?.block_on(async {
        let mut machine = open(context, cluster).await?;
        let mut outcome = machine.converge_with(spec, &mut |line| steps.begin(line)).await;
        // A daemon that was started anew may have made itself another certificate, which the tunnel servers show too.
        if let Err(ConvergeError::Drift(_)) = outcome {
            outcome = machine.converge_with(spec, &mut |line| steps.begin(line)).await;
        }
        outcome.map_err(|e| failed("bringing the front-end up", e))
    })?;
    finish(steps, &report);
    Ok(report)
}

fn bring_down(context: &Context, cluster: &Cluster) -> Result<(), CliError> {
    let mut steps = Steps::new();
    let report = runtime()?.block_on(async {
        let torn_down = open(context, cluster).await?.tear_down_with(&mut |line| steps.begin(line)).await;
        torn_down.map_err(|e| failed("bringing the front-end down", e))
    })?;
    finish(steps, &report);
    Ok(())
}

fn finish(steps: Steps, report: &Report) {
    steps.finish();
    for note in &report.notes {
        println!("{note}");
    }
}

/// Whoever is part of the cluster would lose it without a word.
fn refuse_while_used(context: &Context) -> Result<(), CliError> {
    if !context.paths.database().exists() {
        return Ok(());
    }
    let store = Sqlite::open(&context.paths.database())?;
    let workers = store.workers()?.into_iter().map(|w| w.name);
    let hosts = store.hosts()?.into_iter().filter(|h| h.enrolled.is_some()).map(|h| h.name);
    let names: Vec<String> = workers.chain(hosts).map(|n| n.to_string()).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(CliError::Careful {
        what: format!("part of the cluster still: {}", names.join(", ")),
        remedy: "landbridge worker destroy and landbridge host remove first; or --force".into(),
    })
}

/// The front-end's machine, with the members that its memory knows; or everything that stands in its way.
fn spec(context: &Context, cluster: &Cluster) -> Result<MachineSpec, CliError> {
    let around = Surroundings::look(&context.file)?;
    let mut obstacles = frontend::obstacles(cluster, &around);
    obstacles.extend(stranded(context, cluster)?);
    if !obstacles.is_empty() {
        return Err(CliError::Obstacles(obstacles.join("\n")));
    }
    let members = if context.paths.database().exists() {
        daemon::members(cluster, &Sqlite::open(&context.paths.database())?)?
    } else {
        frontend::Members::default()
    };
    let queue = Queue::of(cluster, &context.paths);
    Ok(frontend::machine_spec(cluster, &context.paths, &around, &members, &queue))
}

/// Machines that nobody could end any more if the file were followed.
pub(super) fn stranded(context: &Context, cluster: &Cluster) -> Result<Vec<String>, CliError> {
    if !context.paths.database().exists() {
        return Ok(Vec::new());
    }
    Ok(daemon::stranded(cluster, &Sqlite::open(&context.paths.database())?)?)
}

/// What would change. A machine on which there was never an `up` is looked at with a memory that goes again.
async fn preview(context: &Context, cluster: &Cluster, spec: &MachineSpec) -> Result<Plan, CliError> {
    let nowhere = tempfile::tempdir()?;
    let place = nowhere.path();
    let (state, run, log) = (place.join("state"), place.join("run"), place.join("log"));
    let paths =
        if is_unknown(context) { Paths { state, run, log, ..context.paths.clone() } } else { context.paths.clone() };
    let machine =
        frontend::open_machine(cluster, &paths).await.map_err(|e| failed("taking hold of this machine", e))?;
    machine.plan(spec).await.map_err(|e| failed("planning", e))
}

/// Whether there was never an `up` here, or a `down` since that destroyed all memory.
fn is_unknown(context: &Context) -> bool {
    !context.paths.state.exists()
}

async fn open(context: &Context, cluster: &Cluster) -> Result<Machine, CliError> {
    frontend::open_machine(cluster, &context.paths).await.map_err(|e| failed("taking hold of this machine", e))
}

fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

fn failed(operation: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> CliError {
    CliError::Machine { operation, source: Box::new(source) }
}
