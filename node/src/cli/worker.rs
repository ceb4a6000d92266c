//! `join`, `agent`, `leave`.

use super::args::JoinArgs;
use super::exit::{Exit, Problem};
use super::{remark, token};
use crate::agent::boot::BootUnit;
use crate::agent::{self, End, launch, leave_locally};
use crate::join::link::owner;
use crate::join::progress::Progress;
use crate::join::{self, Options, PlanError, Start, Worker};
use crate::machine::{Machine, Place};
use crate::paths::Paths;
use crate::state::{Lock, State, StateError, Work};
use crate::words;

pub(super) async fn join(paths: Paths, args: JoinArgs) -> Result<Exit, Problem> {
    let token = token::read(&args.token)?;
    let state = State::open(paths)?;
    let mut lock = state.take_over(remark).await?;
    let token = if args.user_data && state.member()?.is_none() { Some(token::of_user_data().await?) } else { token };
    let options = Options { via: args.via.map(Into::into), nic: args.dev, token, limit: args.deadline };
    let start = Start::new(&state, &options).await.map_err(|error| problem(&error))?;
    let mut machine = Machine::open(place(state.paths())).await?;
    let exit = match join::join(&state, &mut machine, &start, &options, Progress::of_stdout()).await {
        Ok(joined) => {
            let (name, secs) = (joined.name, joined.took.as_secs_f64());
            let remark = if joined.changed { "" } else { "; nothing on this machine had to be changed" };
            println!("{name} is ready after {secs:.2} s{remark}");
            Exit::Done
        }
        Err(failed) => {
            println!("not joined: {} failed", failed.stage);
            Exit::Stage(failed.stage)
        }
    };
    // A known worker keeps what it has also when its front-end was not there.
    if exit == Exit::Done || matches!(start, Start::Known { .. }) {
        if let Some(unit) = BootUnit::worker() {
            unit.install(&launch::program()?)?;
        }
        if args.foreground {
            lock.work(Work::Agent)?;
            return keep(&state, machine, lock).await;
        }
        drop(machine);
        drop(lock);
        launch::detached(&["agent"], state.paths(), &state.paths().agent_log())?;
    }
    Ok(exit)
}

pub(super) async fn agent(paths: Paths, detached: bool) -> Result<Exit, Problem> {
    if detached {
        launch::leave_session()?;
    }
    let state = State::open(paths)?;
    let lock = state.lock(Work::Agent)?;
    let machine = Machine::open(place(state.paths())).await?;
    if detached {
        launch::say_ready();
    }
    keep(&state, machine, lock).await
}

async fn keep(state: &State, mut machine: Machine, lock: Lock) -> Result<Exit, Problem> {
    match agent::run(state, &mut machine).await? {
        End::Stopped => tracing::info!("told to end; everything on this machine goes on"),
        End::Left => {
            tracing::info!("this machine has left the cluster");
            vacate(state, machine, lock)?;
        }
    }
    Ok(Exit::Done)
}

pub(super) async fn leave(paths: Paths) -> Result<Exit, Problem> {
    let state = State::open(paths)?;
    let lock = state.take_over(remark).await?;
    let mut machine = Machine::open(place(state.paths())).await?;
    let known = state.member().ok().flatten().is_some();
    let worker = worker(&state).unwrap_or_default();
    let was_bare = machine.is_bare();
    leave_locally(&state, &mut machine, worker.as_ref()).await?;
    vacate(&state, machine, lock)?;
    println!("{}", if known || !was_bare { "everything on this machine is undone" } else { "nothing to undo" });
    Ok(Exit::Done)
}

/// Nothing is ours any more: our own files go too, but the logs.
pub(super) fn vacate(state: &State, machine: Machine, lock: Lock) -> Result<(), Problem> {
    machine.vacate()?;
    Ok(state.vacate(lock)?)
}

/// The worker as it is remembered, if all of it is.
fn worker(state: &State) -> Result<Option<Worker>, StateError> {
    let (Some(member), Some(bundle), Some(attachment)) = (state.member()?, state.bundle()?, state.attachment()?) else {
        return Ok(None);
    };
    Ok(Some(Worker::new(&member, bundle, attachment, state.paths().clone())))
}

/// Where the machine's engine keeps its ledger.
pub(super) fn place(paths: &Paths) -> Place {
    Place { owner: owner(), state: paths.state.join("machine"), run: paths.run.clone(), log: paths.log.clone() }
}

fn problem(error: &PlanError) -> Problem {
    let exit = match error {
        PlanError::NoToken | PlanError::NoAddress | PlanError::ForBridge => Exit::Token,
        _ => Exit::Local,
    };
    Problem { text: words::chain(error), exit }
}
