//! The same properties as on the fake kernel, on the real one, in a namespace of its own for each case.

use crate::common::netns::{in_namespace, run};
use crate::common::properties;
use crate::common::strategy::{networks, others, walks};
use crate::judge::judged;
use landbridge_fabric::{Backend, Kernel, NetworkJournal, reconcile};
use proptest::prelude::*;

/// Builds [`others`] with `ip` and `bridge`.
async fn machine_of_others() -> Kernel {
    for line in [
        "ip link add eth1 type veth peer name far1",
        "ip link add eth2 mtu 1400 type veth peer name far2 mtu 1500",
        "ip link add br0 type bridge",
        "ip link set far2 master br0",
        "ip link add vx9 mtu 1500 type vxlan id 99 local 192.0.2.1 dstport 4789",
        "bridge fdb append 00:00:00:00:00:00 dev vx9 dst 192.0.2.99",
        "ip link add lbbr-lyra type bridge",
        "ip link set lbbr-lyra alias landbridge:lyra",
        "ip address add 10.88.0.1/16 dev lbbr-lyra",
        "ip address add 198.51.100.7/24 dev eth1",
    ] {
        run(line);
    }
    for up in ["eth1", "far1", "far2", "br0", "vx9", "lbbr-lyra"] {
        run(&format!("ip link set {up} up"));
    }
    let mut kernel = Kernel::open().expect("a connection");
    let mut observed = kernel.observe().await.expect("an observation");
    observed.links.retain(|name, _| name.as_str() != "lo");
    assert_eq!(observed, others());
    kernel
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_way_to_a_network_does_not_matter(walk in walks(false, 3)) {
        in_namespace(|| async move {
            let mut kernel = machine_of_others().await;
            properties::walk(&mut kernel, &walk).await;
        });
    }

    #[test]
    fn ip_and_bridge_agree_on_any_network(network in networks(false)) {
        in_namespace(|| async move {
            let mut kernel = machine_of_others().await;
            reconcile(&network, &mut kernel, &mut NetworkJournal::in_memory()).await.expect("to arrive");
            assert_eq!(judged(), kernel.observe().await.expect("an observation"));
        });
    }
}
