//! The plan between what is and what should be: a value, made by a pure function.

mod check;
mod draft;
mod order;
mod target;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Conflict, Ledger, Network, Observed, PlannedStep};

/// The steps from what is to what should be, in the order in which they are carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// In order; undone in reverse.
    pub steps: Vec<PlannedStep>,
}

impl Plan {
    /// Whether everything is as it should be.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// A line a step: `+` for what comes, `-` for what goes, `~` for what changes from old to new.
    pub fn lines(&self) -> Vec<String> {
        self.steps.iter().map(|planned| planned.step.to_string()).collect()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|planned| writeln!(f, "{}", planned.step))
    }
}

/// Finds the steps that lead from `observed` to `network`, touching only links that carry the owner's tag, and NICs that
/// `network` names or `ledger` remembers as adopted.
///
/// Planning changes nothing. When there is no way that leaves alone what isn't ours, every reason is returned at once.
pub fn plan(network: &Network, observed: &Observed, ledger: &Ledger) -> Result<Plan, Vec<Conflict>> {
    let targets = target::targets(network, observed, ledger);
    let doomed = target::doomed(network, observed, &targets);
    let conflicts = check::conflicts(network, observed, &targets, &doomed);
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    let mut draft = draft::Draft::new(observed, &targets);
    draft.delete(&doomed);
    draft.adopt(network, observed, ledger);
    draft.set_mtus();
    draft.set_up();
    draft.remove_addresses_and_flood();
    draft.create();
    draft.set_controllers();
    draft.add_addresses_and_flood();
    draft.set_down();
    draft.release(network, ledger);
    Ok(draft.into_plan())
}
