//! Labs that people can bring up by name, with `landbridge-lab up NAME`.

mod at_once;
mod demo;
mod figure;
mod newcomers;

use std::error::Error;
use std::sync::Arc;

use crate::hold::HoldError;
use crate::lab::Lab;

pub use at_once::{Arrival, Crowd, join_at_once};

/// What building a scenario ends with; whatever went wrong is told as it is.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A lab that can be brought up by its name.
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// Builds it, and says on standard output what it does. What it makes is held by the lab; threads and values that
    /// must live as long may be leaked, the process is the lab's own.
    pub build: fn(&Arc<Lab>) -> Outcome<()>,
}

/// All of them.
pub const SCENARIOS: &[Scenario] = &[demo::SCENARIO, figure::SCENARIO, newcomers::SCENARIO];

/// The one of this name.
///
/// # Errors
/// There is none; the error names those that there are.
pub fn find(name: &str) -> Result<&'static Scenario, HoldError> {
    let known = || SCENARIOS.iter().map(|scenario| scenario.name).collect::<Vec<_>>().join(", ");
    let found = SCENARIOS.iter().find(|scenario| scenario.name == name);
    found.ok_or_else(|| HoldError::NoSuchScenario { name: name.to_owned(), known: known() })
}
