//! Undoing everything, on orders or alone.

use tokio::time::{Duration, sleep, timeout};

use super::boot::{BootError, BootUnit};
use super::{Backoff, renew};
use crate::api::{ApiError, Client};
use crate::join::{Worker, stages};
use crate::machine::{ConvergeError, Machine};
use crate::names::{self, NamesError};
use crate::state::{State, StateError};
use crate::wire::Stage;
use crate::words;

/// The front-end is told this often before the link is cut without its knowing.
const TRIES: u32 = 8;
/// The same when a person has told this machine to leave, who may know that the front-end is gone.
const WORD: Duration = Duration::from_secs(3);
/// Before something in use is tried again.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(10);

/// Something could not be undone.
#[derive(Debug, thiserror::Error)]
pub enum LeaveError {
    /// Resources of the machine.
    #[error("some of this machine's resources could not be undone")]
    Undo(#[from] Box<ConvergeError>),
    /// Its names.
    #[error(transparent)]
    Names(#[from] NamesError),
    /// What starts it at boot.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// Its memory.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Undoes everything on this machine, asks nobody, and may be repeated. The link goes last: a mount goes more easily while
/// its server can still be reached, and the front-end, if it is there, is told.
pub async fn leave_locally(state: &State, machine: &mut Machine, worker: Option<&Worker>) -> Result<(), LeaveError> {
    if let Some(worker) = worker {
        if let Err(error) = machine.converge(&stages::spec_until(Stage::Link, worker)).await {
            warn(&error);
        }
        tell_if_there(state).await;
    }
    machine.tear_down().await.map_err(Box::new)?;
    names::give_back(state)?;
    if let Some(unit) = BootUnit::worker() {
        unit.remove()?;
    }
    state.wipe()?;
    Ok(())
}

/// Leaves on the front-end's orders: everything but the link is undone, the front-end is told, then the link goes too.
pub(super) async fn leave_on_orders(
    state: &State,
    machine: &mut Machine,
    worker: &Worker,
    client: &Client,
) -> Result<(), LeaveError> {
    let link = stages::spec_until(Stage::Link, worker);
    let mut backoff = Backoff::new(FIRST, LONGEST);
    // A mount that is still in use can't go; its jobs are done, so it soon can.
    while let Err(error) = machine.converge(&link).await {
        warn(&error);
        sleep(backoff.pause()).await;
    }
    names::give_back(state)?;
    tell(client).await;
    leave_locally(state, machine, None).await
}

fn warn(error: &ConvergeError) {
    tracing::warn!(error = %words::chain(error), "leaving: not everything could be undone yet");
}

/// So that the front-end starts no job here, and doesn't wait for this machine when it forgets it.
async fn tell_if_there(state: &State) {
    let Ok(Some(member)) = state.member() else { return };
    let Ok(client) = renew::client(&member) else { return };
    match timeout(WORD, client.left()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error = %words::chain(&error), "the front-end was not told"),
        Err(_) => tracing::warn!("the front-end was not told: it did not answer within {} s", WORD.as_secs()),
    }
}

async fn tell(client: &Client) {
    let mut backoff = Backoff::new(FIRST, LONGEST);
    for _ in 0..TRIES {
        match client.left().await {
            Ok(()) => return,
            // It knows no such worker any more: told already.
            Err(ApiError::Refused(refusal)) => return tracing::info!(%refusal, "the front-end had let us go already"),
            Err(error) => tracing::warn!(%error, "telling the front-end that this machine has left"),
        }
        sleep(backoff.pause()).await;
    }
}
