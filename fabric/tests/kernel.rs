//! The real kernel, in a namespace of its own for each test; `ip` and `bridge` are the judges. Needs root and iproute2.
#![allow(clippy::unwrap_used)]

mod common;

use common::netns::{in_namespace, run};
use common::*;
use landbridge_fabric::{Backend, Kernel, Network, NetworkJournal, reconcile};

fn whole() -> Network {
    network([
        ("lbbr-ursa", bridge().mtu(1500).address("10.77.0.1/16")),
        ("lbvx-ursa", vxlan(77, &[11, 12, 13]).mtu(1450).port_of("lbbr-ursa")),
        ("lbt0-ursa", tap().mtu(9000).port_of("lbbr-ursa")),
        ("eth1", nic().port_of("lbbr-ursa").address("10.77.9.9/24")),
    ])
}

#[test]
fn ip_and_bridge_see_what_was_wished_for() {
    in_namespace(|| async {
        run("ip link add eth1 type veth peer name far");
        let mut kernel = Kernel::open().unwrap();
        let mut journal = NetworkJournal::in_memory();
        let report = reconcile(&whole(), &mut kernel, &mut journal).await.unwrap();
        println!("{}", report.changed.join("\n"));
        println!("{}", run("ip -d link"));
        println!("{}", run("bridge fdb show dev lbvx-ursa"));
        println!("{:?}", kernel.observe().await.unwrap());
        let again = reconcile(&whole(), &mut kernel, &mut journal).await.unwrap();
        assert_eq!(again.changed, Vec::<String>::new());
        let down = reconcile(&Network::empty(owner()), &mut kernel, &mut journal).await.unwrap();
        println!("{}", down.changed.join("\n"));
        println!("{}", run("ip -d link"));
    });
}
