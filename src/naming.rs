//! The interface names of a cluster. The table stands in ARCHITECTURE.md too.
//!
//! | name | on | what |
//! |---|---|---|
//! | `lbbr-CLUSTER` | front-end, physical hosts | the vLAN's bridge |
//! | `lbvx-CLUSTER` | front-end, physical hosts | the VXLAN uplink |
//! | `lbvl-CLUSTER` | front-end, physical hosts | the 802.1Q uplink |
//! | `lbtN-CLUSTER` | front-end | the tap of OpenVPN server N (0 to 9) |
//! | `lbw-CLUSTER` | workers in a cloud | the tap of the worker's tunnel |

use landbridge_fabric::InterfaceName;

use crate::spec::ClusterName;

/// The longest of our prefixes, in bytes; what remains of 15 is the longest cluster name.
pub const PREFIX_LEN: usize = 5;

fn named(prefix: &str, cluster: &ClusterName) -> InterfaceName {
    InterfaceName::new(format!("{prefix}-{cluster}")).expect("a cluster name is at most 10 bytes of [a-z0-9-]")
}

/// The vLAN's bridge.
pub fn bridge(cluster: &ClusterName) -> InterfaceName {
    named("lbbr", cluster)
}

/// The VXLAN uplink.
pub fn vxlan(cluster: &ClusterName) -> InterfaceName {
    named("lbvx", cluster)
}

/// The 802.1Q uplink.
pub fn vlan(cluster: &ClusterName) -> InterfaceName {
    named("lbvl", cluster)
}

/// The tap of OpenVPN server `n` (0 to 9).
pub fn server_tap(n: u8, cluster: &ClusterName) -> InterfaceName {
    debug_assert!(n < 10);
    named(&format!("lbt{n}"), cluster)
}

/// The tap of a worker's own tunnel.
pub fn worker_tap(cluster: &ClusterName) -> InterfaceName {
    named("lbw", cluster)
}
