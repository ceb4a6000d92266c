//! What the front-end's packet filter holds back: its services from everybody but the vLAN and itself.
//!
//! `rpcbind` (over TCP), `ypserv` and `sge_qmaster` listen on every address and can't be told otherwise, and Linux accepts
//! packets for any of its addresses on any link. So what does not come in over the bridge is dropped.

use std::collections::BTreeSet;

use crate::naming;
use crate::spec::ClusterName;

/// Rules that keep ports, TCP and UDP alike, to the vLAN; none when there are no ports.
pub fn rules(cluster: &ClusterName, ports: &BTreeSet<u16>) -> Vec<String> {
    if ports.is_empty() {
        return Vec::new();
    }
    let bridge = naming::bridge(cluster);
    let ports = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    vec![
        format!("iifname {{ \"lo\", \"{bridge}\" }} accept"),
        format!("tcp dport {{ {ports} }} drop"),
        format!("udp dport {{ {ports} }} drop"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_name_the_bridge_and_every_port() {
        let ursa = ClusterName::new("ursa").expect("a cluster name");
        insta::assert_snapshot!(rules(&ursa, &BTreeSet::from([2049, 111])).join("\n"));
        assert!(rules(&ursa, &BTreeSet::new()).is_empty());
    }
}
