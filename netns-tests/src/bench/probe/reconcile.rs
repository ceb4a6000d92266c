//! One reconcile, as the daemon makes it, timed without what surrounds it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use landbridge::daemon::Wish;
use landbridge::frontend::{self, Surroundings};
use landbridge::paths::Paths;
use landbridge::store::Sqlite;

use super::super::Outcome;

/// Sees whether the members have changed, renders the whole machine if so or if it is to be drawn `anew` each time, takes hold of it,
/// compares, and finds nothing to do; so many times.
///
/// # Errors
/// The machine is not as it should be, or can't be looked at.
pub fn reconcile(runs: u32, anew: bool) -> Outcome<Vec<Duration>> {
    let paths = Paths::default();
    let cluster = Arc::new(super::cluster(&paths)?);
    let around = Surroundings::look(&paths.config.join("cluster.toml"))?;
    let store = Sqlite::open(&paths.database())?;
    let mut wish = Wish::new(Arc::clone(&cluster), paths.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        wish.drawn(around.again()?, &store)?;
        let mut times = Vec::new();
        for _ in 0..runs {
            if anew {
                wish = Wish::new(Arc::clone(&cluster), paths.clone());
            }
            let start = Instant::now();
            let spec = wish.drawn(around.again()?, &store)?;
            let mut machine = frontend::open_machine(&cluster, &paths).await?;
            let report = machine.converge(spec).await?;
            times.push(start.elapsed());
            if !report.done.is_empty() {
                return Err(format!("something had to be done: {}", report.done.join("; ")).into());
            }
        }
        Ok(times)
    })
}
