//! The cluster of the design's picture, for tests.

use crate::spec::{self, Cluster, ClusterName};

/// Cluster `ursa`: 10.77.0.0/16, tunnels at 198.51.100.1 from port 1194 on, two servers wherever the test runs.
pub(crate) fn cluster() -> Cluster {
    let mut cluster = spec::example(ClusterName::new("ursa").expect("a name"));
    cluster.tunnel.servers = Some(2);
    cluster
}
