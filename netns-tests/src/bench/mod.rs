//! Measurements: Landbridge beside its peers, in one run on one machine, each alone on it while it is measured.
//!
//! A measurement ([`Measurement`]) fills a [`Section`]: tables of samples, and the goals that they are held against. What one
//! could not measure is a failed row with its reason, and the others go on. Sections become a table on the terminal,
//! `docs/benchmarks.md`, and `docs/benchmarks.json` beside it.

pub mod measure;
pub mod peers;
pub mod probe;
pub mod render;
pub mod report;
mod run;
pub mod statistics;

pub use run::{render as render_kept, run};

use report::Section;

/// What a measurement ends with; whatever went wrong is told as it is.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Something that can be measured by its name.
pub struct Measurement {
    /// Its name.
    pub name: &'static str,
    /// What is measured, as a heading.
    pub title: &'static str,
    /// Fills the section, as far as it comes.
    pub measure: fn(&mut Section) -> Outcome<()>,
}

/// All of them, in the order of a whole run.
pub const MEASUREMENTS: &[Measurement] = &[
    measure::tunnel::TUNNEL,
    measure::servers::SERVERS,
    measure::settings::SETTINGS,
    measure::transports::TRANSPORTS,
    measure::join::JOIN,
    measure::at_once::AT_ONCE,
    measure::deploy::DEPLOY,
    measure::htc::HTC,
    measure::scale::SCALE,
    measure::keys::KEYS,
    measure::fabric::FABRIC,
    measure::revocation::REVOCATION,
];

/// Those of these names; all without a name.
///
/// # Errors
/// There is none of a name; the error says which there are.
pub fn chosen(names: &[String]) -> Outcome<Vec<&'static Measurement>> {
    if names.is_empty() {
        return Ok(MEASUREMENTS.iter().collect());
    }
    let known = || MEASUREMENTS.iter().map(|measurement| measurement.name).collect::<Vec<_>>().join(", ");
    let find = |name: &String| {
        let found = MEASUREMENTS.iter().find(|measurement| measurement.name == name);
        found.ok_or_else(|| format!("nothing is measured under the name {name}; there are {}", known()).into())
    };
    names.iter().map(find).collect()
}
