//! What an instance is in the lab.

use super::emulated::Emulated;
use crate::error::LabResult;
use crate::{Lab, Uml};

/// A running machine.
#[derive(Clone)]
pub(super) enum Body {
    /// One with a kernel of its own and the lab's root file system.
    Uml(Uml),
    /// One that is a stranger to the lab.
    Emulated(Emulated),
}

impl Body {
    pub(super) fn is_up(&self) -> bool {
        match self {
            Self::Uml(uml) => uml.is_up(),
            Self::Emulated(machine) => machine.is_up(),
        }
    }

    /// Ends it, as a power cut does.
    pub(super) fn end(&self, lab: &Lab) -> LabResult<()> {
        match self {
            Self::Uml(uml) => lab.retire(uml),
            Self::Emulated(machine) => {
                machine.stop();
                Ok(())
            }
        }
    }

    pub(super) fn uml(&self) -> Option<Uml> {
        match self {
            Self::Uml(uml) => Some(uml.clone()),
            Self::Emulated(_) => None,
        }
    }

    /// What it wrote to its console.
    pub(super) fn console(&self) -> LabResult<String> {
        match self {
            Self::Uml(uml) => Ok(uml.console()),
            Self::Emulated(machine) => machine.console(),
        }
    }
}
