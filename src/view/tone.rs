//! What a state feels like.

use super::{HostState, ServiceState, WorkerState};

/// How a person should feel about a state. A mark and a word always stand beside its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tone {
    /// Somebody should look.
    Bad,
    /// On its way.
    Busy,
    /// On its way out, as wished.
    Fading,
    /// As it should be.
    Good,
}

impl Tone {
    /// A mark that tells the tone without a colour.
    pub fn mark(self) -> char {
        match self {
            Self::Bad => '✕',
            Self::Busy => '◐',
            Self::Fading => '○',
            Self::Good => '●',
        }
    }
}

impl From<WorkerState> for Tone {
    fn from(state: WorkerState) -> Self {
        match state {
            WorkerState::Ready => Self::Good,
            WorkerState::Planned | WorkerState::Provisioning | WorkerState::Booting | WorkerState::Joining => {
                Self::Busy
            }
            WorkerState::Draining | WorkerState::Drained | WorkerState::Leaving | WorkerState::Gone => Self::Fading,
            WorkerState::Failed | WorkerState::Lost => Self::Bad,
        }
    }
}

impl From<HostState> for Tone {
    fn from(state: HostState) -> Self {
        match state {
            HostState::On => Self::Good,
            HostState::New => Self::Busy,
            HostState::Leaving => Self::Fading,
            HostState::Silent | HostState::Error => Self::Bad,
        }
    }
}

impl From<ServiceState> for Tone {
    fn from(state: ServiceState) -> Self {
        match state {
            ServiceState::Up => Self::Good,
            ServiceState::Down => Self::Bad,
        }
    }
}
