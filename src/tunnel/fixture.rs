//! The cluster of the design's picture, for tests.

use crate::spec::{self, Cluster, ClusterName};

/// Cluster `ursa`: 10.77.0.0/16, tunnels at 198.51.100.1 port 1194.
pub(crate) fn cluster() -> Cluster {
    spec::example(ClusterName::new("ursa").expect("a name"))
}
