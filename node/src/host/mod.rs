//! A physical host's half: joins, carries out its fabric, reports, repairs drift, leaves.

mod daemon;
mod join;
mod load;
mod report;

pub use daemon::{End, HostError, run};
pub use join::{HostJoinError, join};
pub use report::report;

use crate::agent::boot::{BootError, BootUnit};
use crate::machine::{ConvergeError, Machine};
use crate::state::{State, StateError};

/// Something could not be undone.
#[derive(Debug, thiserror::Error)]
pub enum LeaveError {
    /// The host's links.
    #[error("some of this host's links could not be undone")]
    Undo(#[from] Box<ConvergeError>),
    /// What starts it at boot.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// Its memory.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Undoes everything on this host, asks nobody, and may be repeated.
pub async fn leave(state: &State, machine: &mut Machine) -> Result<(), LeaveError> {
    machine.tear_down().await.map_err(Box::new)?;
    if let Some(unit) = BootUnit::host() {
        unit.remove()?;
    }
    state.wipe()?;
    Ok(())
}
