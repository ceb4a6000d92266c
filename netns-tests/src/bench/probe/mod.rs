//! What `landbridge-bench` does inside a machine of the lab: what can't be timed from outside without timing the lab too.

mod crew;
mod heartbeats;
mod reconcile;

pub use crew::crew;
pub use heartbeats::heartbeats;
pub use reconcile::reconcile;

use landbridge::paths::Paths;
use landbridge::spec::{self, Cluster};

use super::Outcome;

/// Where the identities of some of the crew are, and the one key of all of them.
const IDENTITIES: &str = "/run/bench-crew";

/// The machine's cluster.
fn cluster(paths: &Paths) -> Outcome<Cluster> {
    let text = std::fs::read_to_string(paths.config.join("cluster.toml"))?;
    Ok(spec::parse(&text).map_err(|_| "the cluster's file has errors: landbridge check tells them")?.cluster)
}
