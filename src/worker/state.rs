//! The one way from `planned` to `ready` to `gone`.

use std::fmt;
use std::str::FromStr;

use landbridge_node::wire::Stage;

/// Where a worker is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WorkerState {
    /// The record, the lease and the token exist; nobody outside knows.
    Planned,
    /// The provider is asked for its machine; whether it was, is known only to the provider until it has answered.
    Provisioning,
    /// Its machine was accepted and has not called yet.
    Booting,
    /// Its machine has used the token; the stage is the one under way.
    Joining(Stage),
    /// Every stage was proved from both sides.
    Ready,
    /// Its slots are closed; jobs may still run.
    Draining,
    /// Its slots are closed and its jobs are done. It may become ready again.
    Drained,
    /// On its way out; the step is the one to do next.
    Leaving(LeaveStep),
    /// It failed there or its time is over. Its machine, if it has one, may try again.
    Failed(FailedAt),
    /// Nothing of it is left but this record.
    Gone,
}

/// Where on its way a worker failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailedAt {
    /// The provider gave it no machine.
    Provisioning,
    /// Its machine never called.
    Booting,
    /// A stage of its join.
    Stage(Stage),
}

impl From<Stage> for FailedAt {
    fn from(stage: Stage) -> Self {
        Self::Stage(stage)
    }
}

impl fmt::Display for FailedAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provisioning => f.pad("provisioning"),
            Self::Booting => f.pad("booting"),
            Self::Stage(stage) => stage.fmt(f),
        }
    }
}

impl FromStr for FailedAt {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        let stage = || Stage::ALL.into_iter().find(|s| s.as_str() == text).map(Self::Stage);
        match text {
            "provisioning" => Ok(Self::Provisioning),
            "booting" => Ok(Self::Booting),
            _ => stage().ok_or_else(|| StateError(text.to_owned())),
        }
    }
}

/// What is still to do for a worker that leaves, in order. Every step can be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LeaveStep {
    /// No more jobs start on it.
    Close,
    /// Its jobs end.
    Wait,
    /// It unmounts, unbinds and says so.
    Undo,
    /// Its certificates are revoked and its tunnel is cut.
    Cut,
    /// The queue forgets it.
    Dequeue,
    /// Its address goes into quarantine.
    Release,
    /// Its machine is destroyed, where we made it.
    Destroy,
    /// Both sides are compared: nothing is left.
    Prove,
}

impl LeaveStep {
    /// Every step in order.
    pub const ALL: [Self; 8] =
        [Self::Close, Self::Wait, Self::Undo, Self::Cut, Self::Dequeue, Self::Release, Self::Destroy, Self::Prove];

    /// The step after this one; `None` after the last.
    pub fn next(self) -> Option<Self> {
        Self::ALL.iter().copied().find(|step| *step > self)
    }

    /// The step's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Wait => "wait",
            Self::Undo => "undo",
            Self::Cut => "cut",
            Self::Dequeue => "dequeue",
            Self::Release => "release",
            Self::Destroy => "destroy",
            Self::Prove => "prove",
        }
    }
}

impl WorkerState {
    /// Whether its machine has used its token, and may still be on the vLAN.
    pub fn has_called(self) -> bool {
        !matches!(self, Self::Planned | Self::Provisioning | Self::Booting | Self::Gone)
    }

    /// Whether the worker holds a place in the cluster: an address, a name, perhaps certificates.
    pub fn is_alive(self) -> bool {
        self != Self::Gone
    }

    /// Whether its machine may say that it joins (again).
    pub fn may_join(self) -> bool {
        !matches!(self, Self::Leaving(_) | Self::Gone)
    }

    /// Whether its machine is still to come.
    pub fn awaits_machine(self) -> bool {
        matches!(self, Self::Planned | Self::Provisioning | Self::Booting)
    }

    /// Whether every stage was proved, and nothing has failed since.
    pub fn was_proved(self) -> bool {
        matches!(self, Self::Ready | Self::Draining | Self::Drained)
    }

    /// The first word in lists, without the detail.
    pub fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Provisioning => "provisioning",
            Self::Booting => "booting",
            Self::Joining(_) => "joining",
            Self::Ready => "ready",
            Self::Draining => "draining",
            Self::Drained => "drained",
            Self::Leaving(_) => "leaving",
            Self::Failed(_) => "failed",
            Self::Gone => "gone",
        }
    }
}

impl fmt::Display for WorkerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joining(stage) => write!(f, "joining:{stage}"),
            Self::Failed(at) => write!(f, "failed:{at}"),
            Self::Leaving(step) => write!(f, "leaving:{}", step.as_str()),
            _ => f.write_str(self.word()),
        }
    }
}

/// A text that is no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no state of a worker")]
pub struct StateError(pub String);

impl FromStr for WorkerState {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        let (word, detail) = text.split_once(':').unwrap_or((text, ""));
        let stage = || Stage::ALL.into_iter().find(|s| s.as_str() == detail);
        let step = || LeaveStep::ALL.into_iter().find(|s| s.as_str() == detail);
        let found = match word {
            "planned" => Some(Self::Planned),
            "provisioning" => Some(Self::Provisioning),
            "booting" => Some(Self::Booting),
            "joining" => stage().map(Self::Joining),
            "ready" => Some(Self::Ready),
            "draining" => Some(Self::Draining),
            "drained" => Some(Self::Drained),
            "leaving" => step().map(Self::Leaving),
            "failed" => detail.parse().ok().map(Self::Failed),
            "gone" => Some(Self::Gone),
            _ => None,
        };
        found.ok_or_else(|| StateError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_state() -> Vec<WorkerState> {
        let mut all = vec![
            WorkerState::Planned,
            WorkerState::Provisioning,
            WorkerState::Booting,
            WorkerState::Failed(FailedAt::Provisioning),
            WorkerState::Failed(FailedAt::Booting),
            WorkerState::Ready,
            WorkerState::Draining,
            WorkerState::Drained,
            WorkerState::Gone,
        ];
        all.extend(Stage::ALL.map(WorkerState::Joining));
        all.extend(Stage::ALL.map(|stage| WorkerState::Failed(stage.into())));
        all.extend(LeaveStep::ALL.map(WorkerState::Leaving));
        all
    }

    #[test]
    fn every_state_survives_being_stored() {
        for state in every_state() {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
    }

    #[test]
    fn the_steps_of_leaving_follow_each_other_to_the_end() {
        let mut step = Some(LeaveStep::Close);
        let mut walked = Vec::new();
        while let Some(now) = step {
            walked.push(now);
            step = now.next();
        }
        assert_eq!(walked, LeaveStep::ALL);
    }

    #[test]
    fn a_word_that_is_no_state_is_refused() {
        for bad in ["", "joining", "joining:lunch", "failed", "failed:lunch", "leaving:", "READY"] {
            assert_eq!(bad.parse::<WorkerState>(), Err(StateError(bad.into())));
        }
    }
}
