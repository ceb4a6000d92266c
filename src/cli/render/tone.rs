//! What a state feels like, and the colour for it. The word always stands beside the colour.

use comfy_table::Color;

use crate::view::{HostState, ServiceState, WorkerState};

/// How a person should feel about a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// As it should be.
    Good,
    /// On its way.
    Busy,
    /// On its way out, as wished.
    Fading,
    /// Somebody should look.
    Bad,
}

impl Tone {
    /// The terminal's colour: blue, yellow, magenta, red differ for most colour-blind people, green is left out.
    pub(super) fn color(self) -> Color {
        match self {
            Self::Good => Color::Cyan,
            Self::Busy => Color::Yellow,
            Self::Fading => Color::Magenta,
            Self::Bad => Color::Red,
        }
    }

    /// The text in the tone's colour when `fancy`.
    pub(super) fn paint(self, text: &str, fancy: bool) -> String {
        if !fancy {
            return text.to_owned();
        }
        let code = match self {
            Self::Good => 36,
            Self::Busy => 33,
            Self::Fading => 35,
            Self::Bad => 31,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

impl From<WorkerState> for Tone {
    fn from(state: WorkerState) -> Self {
        match state {
            WorkerState::Ready => Self::Good,
            WorkerState::Planned | WorkerState::Provisioning | WorkerState::Booting | WorkerState::Joining => {
                Self::Busy
            }
            WorkerState::Draining | WorkerState::Gone => Self::Fading,
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
