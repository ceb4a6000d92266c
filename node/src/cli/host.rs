//! `host join`, `host run`, `host leave`.

use landbridge_fabric::Owner;

use super::args::TokenArgs;
use super::exit::{Exit, Problem};
use super::worker::vacate;
use super::{remark, token};
use crate::agent::boot::BootUnit;
use crate::agent::launch;
use crate::host::{self, HostJoinError};
use crate::machine::{Machine, Place};
use crate::paths::Paths;
use crate::state::{Lock, State, StateError, Work};
use crate::wire::Stage;
use crate::words;

pub(super) async fn join(paths: Paths, token: &TokenArgs, foreground: bool) -> Result<Exit, Problem> {
    let token = token::read(token)?;
    let state = State::open(paths.host())?;
    let mut lock = state.take_over(remark).await?;
    match host::join(&state, token.as_ref()).await {
        Ok((name, true)) => println!("this host is {name} already; nothing was changed"),
        Ok((name, false)) => println!("this host is {name} now"),
        Err(error) => return Err(problem(&error)),
    }
    if let Some(unit) = BootUnit::host() {
        unit.install(&launch::program()?)?;
    }
    if foreground {
        lock.work(Work::Agent)?;
        return work(&paths, &state, lock).await;
    }
    drop(lock);
    launch::detached(&["host", "run"], &paths, &state.paths().agent_log())?;
    Ok(Exit::Done)
}

pub(super) async fn run(paths: Paths, detached: bool) -> Result<Exit, Problem> {
    if detached {
        launch::leave_session()?;
    }
    let state = State::open(paths.host())?;
    let lock = state.lock(Work::Agent)?;
    if detached {
        launch::say_ready();
    }
    work(&paths, &state, lock).await
}

async fn work(paths: &Paths, state: &State, lock: Lock) -> Result<Exit, Problem> {
    let mut machine = Machine::open(place(state)?).await?;
    match host::run(state, &mut machine).await? {
        host::End::Stopped => tracing::info!("told to end; the fabric stays"),
        host::End::Left => {
            tracing::info!("this host has left the cluster");
            vacate(state, machine, lock)?;
            paths.remove_empty().map_err(StateError::io("removing", &paths.state))?;
        }
    }
    Ok(Exit::Done)
}

pub(super) async fn leave(paths: Paths) -> Result<Exit, Problem> {
    let state = State::open(paths.host())?;
    let lock = state.take_over(remark).await?;
    let mut machine = Machine::open(place(&state)?).await?;
    let was_bare = machine.is_bare();
    host::leave(&state, &mut machine).await?;
    vacate(&state, machine, lock)?;
    paths.remove_empty().map_err(StateError::io("removing", &paths.state))?;
    println!("{}", if was_bare { "nothing to undo" } else { "everything on this host is undone" });
    Ok(Exit::Done)
}

/// A host's links carry the cluster's tag; without an identity there are none.
fn place(state: &State) -> Result<Place, StateError> {
    let cluster = state.member()?.map_or_else(|| "node".to_owned(), |member| member.identity.cluster);
    let paths = state.paths();
    Ok(Place {
        owner: Owner(cluster),
        state: paths.state.join("machine"),
        run: paths.run.clone(),
        log: paths.log.clone(),
    })
}

fn problem(error: &HostJoinError) -> Problem {
    match error {
        HostJoinError::NoToken => Problem { text: error.to_string(), exit: Exit::Token },
        HostJoinError::Refused(failure) => {
            Problem { text: format!("{failure}\n  {}", failure.remedy), exit: Exit::Stage(Stage::Contact) }
        }
        HostJoinError::State(error) => Problem { text: words::chain(error), exit: Exit::Local },
    }
}
