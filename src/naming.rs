//! The interface names of a cluster. The table stands in ARCHITECTURE.md too.
//!
//! | name | on | what |
//! |---|---|---|
//! | `lbbr-CLUSTER` | front-end, physical hosts | the vLAN's bridge |
//! | `lbvx-CLUSTER` | front-end, physical hosts | the VXLAN uplink |
//! | `lbvl-CLUSTER` | front-end, physical hosts | the 802.1Q uplink |
//! | `lbtN-CLUSTER` | front-end | the tap of OpenVPN server N (0 to 9) |
//! | `lbw-CLUSTER` | workers in a cloud | the tap of the worker's tunnel |

use std::fmt;
use std::net::Ipv4Addr;

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

/// A worker's MAC address on the vLAN: locally administered (IEEE 802, `02`), an `L`, and its address there. Since it follows
/// from the address, nobody's neighbour table is wrong after the machine was made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// The worker's with this address.
    pub fn of(address: Ipv4Addr) -> Self {
        let [a, b, c, d] = address.octets();
        Self([0x02, b'L', a, b, c, d])
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = self.0;
        write!(f, "{first:02x}")?;
        rest.iter().try_for_each(|byte| write!(f, ":{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_follows_from_the_address() {
        assert_eq!(Mac::of(Ipv4Addr::new(10, 77, 1, 5)).to_string(), "02:4c:0a:4d:01:05");
        assert_ne!(Mac::of(Ipv4Addr::new(10, 77, 1, 5)), Mac::of(Ipv4Addr::new(10, 77, 5, 1)));
    }
}
