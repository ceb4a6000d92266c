//! One reconcile, as the daemon makes it, timed without what surrounds it.

use std::time::{Duration, Instant};

use landbridge::daemon;
use landbridge::frontend::{self, Surroundings};
use landbridge::paths::Paths;
use landbridge::store::Sqlite;

use super::super::Outcome;

/// Reads the members, renders the whole machine, takes hold of it, compares, and finds nothing to do; so many times.
///
/// # Errors
/// The machine is not as it should be, or can't be looked at.
pub fn reconcile(runs: u32) -> Outcome<Vec<Duration>> {
    let paths = Paths::default();
    let cluster = super::cluster(&paths)?;
    let around = Surroundings::look(&paths.config.join("cluster.toml"))?;
    let store = Sqlite::open(&paths.database())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut times = Vec::new();
        for _ in 0..runs {
            let start = Instant::now();
            let spec = daemon::wish(&cluster, &paths, &around, &store)?;
            let mut machine = frontend::open_machine(&cluster, &paths).await?;
            let report = machine.converge(&spec).await?;
            times.push(start.elapsed());
            if !report.done.is_empty() {
                return Err(format!("something had to be done: {}", report.done.join("; ")).into());
            }
        }
        Ok(times)
    })
}
