//! Exit codes, and errors on their way to one.

use std::process::{ExitCode, Termination};

use crate::wire::Stage;
use crate::words;

/// How a command ended, for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done; for `join`, the worker is ready.
    Done,
    /// 1: something on this machine stands in the way.
    Local,
    /// 3: no token, or one that is none.
    Token,
    /// 4: another `landbridge-node` is at work.
    Busy,
    /// 10 to 18: this stage failed (contact, identity, link, address, mtu, nfs, nis, queue, canary).
    Stage(Stage),
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Local => 1,
            Self::Token => 3,
            Self::Busy => 4,
            Self::Stage(stage) => 10 + stage as u8,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        self.code().into()
    }
}

/// What to say, and how to end.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) text: String,
    pub(super) exit: Exit,
}

impl Problem {
    /// Something on this machine.
    pub(super) fn local(error: impl std::error::Error + 'static) -> Self {
        Self { text: words::chain(&error), exit: Exit::Local }
    }
}

impl From<crate::state::LockError> for Problem {
    fn from(error: crate::state::LockError) -> Self {
        let exit = if matches!(error, crate::state::LockError::Held { .. }) { Exit::Busy } else { Exit::Local };
        Self { text: words::chain(&error), exit }
    }
}

macro_rules! local_problems {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for Problem {
            fn from(error: $error) -> Self {
                Self::local(error)
            }
        })*
    };
}

local_problems!(
    crate::state::StateError,
    crate::machine::OpenError,
    crate::machine::StepError,
    crate::agent::AgentError,
    crate::agent::LeaveError,
    crate::agent::boot::BootError,
    crate::agent::launch::LaunchError,
    crate::host::HostError,
    crate::host::LeaveError,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_has_its_own_code() {
        let codes: Vec<u8> = Stage::ALL.iter().map(|stage| Exit::Stage(*stage).code()).collect();
        assert_eq!(codes, [10, 11, 12, 13, 14, 15, 16, 17, 18]);
    }
}
