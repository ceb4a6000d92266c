//! Routes to single hosts, beside everybody else's.

use landbridge_fabric::{HostRoute, HostRoutes, Mtu};

use crate::common::name;
use crate::common::netns::{in_namespace, run};

fn mtu(bytes: u32) -> Mtu {
    Mtu::new(bytes).unwrap()
}

fn route(last: u8, tos: u8, bytes: u32) -> HostRoute {
    HostRoute { peer: [10, 77, 1, last].into(), tos, mtu: mtu(bytes), offered: mtu(60_000) }
}

/// What the kernel does for a packet, on one line.
fn way(what: &str) -> String {
    run(&format!("ip route get {what}")).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn vlan() {
    run("ip link add lbbr-ursa mtu 1500 type bridge");
    run("ip address add 10.77.0.1/16 dev lbbr-ursa");
    run("ip link set lbbr-ursa up");
}

#[test]
fn a_route_says_what_its_host_takes_and_no_other_and_may_exceed_the_link() {
    in_namespace(|| async {
        vlan();
        let (routes, bridge) = (HostRoutes::open().unwrap(), name("lbbr-ursa"));
        routes.set(&bridge, route(5, 0, 1500)).await.unwrap();
        routes.set(&bridge, route(5, 0, 60_000)).await.unwrap();
        assert!(way("10.77.1.5").contains("mtu 60000 advmss 59960"), "{}", way("10.77.1.5"));
        assert!(!way("10.77.1.6").contains("mtu"), "{}", way("10.77.1.6"));

        routes.set(&bridge, route(5, 0, 1400)).await.unwrap();
        routes.set(&bridge, route(5, 0x14, 60_000)).await.unwrap();
        assert!(way("10.77.1.5").contains("mtu 1400"));
        assert!(way("10.77.1.5 tos 0x14").contains("mtu 60000"));
        assert_eq!(run("ip route show table main proto 76").lines().count(), 2);
    });
}

#[test]
fn ours_go_and_others_stay() {
    in_namespace(|| async {
        vlan();
        run("ip route add 10.77.1.5/32 dev lbbr-ursa mtu 1200");
        let (routes, bridge) = (HostRoutes::open().unwrap(), name("lbbr-ursa"));
        for (last, tos) in [(5, 0), (5, 0x14), (6, 0)] {
            routes.set(&bridge, route(last, tos, 60_000)).await.unwrap();
        }
        assert!(way("10.77.1.5").contains("mtu 1200"), "a person's route wins: {}", way("10.77.1.5"));
        let peers: Vec<_> = routes.peers(&bridge).await.unwrap().into_iter().map(|peer| peer.octets()[3]).collect();
        assert_eq!(peers, [5, 6]);

        routes.remove(&bridge, [10, 77, 1, 5].into()).await.unwrap();
        assert_eq!(routes.peers(&bridge).await.unwrap().len(), 1);
        assert!(run("ip route show 10.77.1.5").contains("mtu 1200"));
        run("ip link delete lbbr-ursa");
        assert!(routes.set(&bridge, route(5, 0, 1500)).await.is_err());
    });
}

#[test]
fn a_host_that_was_introduced_is_believed_to_be_there_until_more_is_known() {
    in_namespace(|| async {
        vlan();
        let (routes, bridge) = (HostRoutes::open().unwrap(), name("lbbr-ursa"));
        let known = |last: u8| run(&format!("ip neigh show 10.77.1.{last}")).trim_end().to_owned();
        routes.introduce(&bridge, [10, 77, 1, 5].into(), [2, b'L', 10, 77, 1, 5]).await.unwrap();
        assert_eq!(known(5), "10.77.1.5 dev lbbr-ursa lladdr 02:4c:0a:4d:01:05 STALE");

        run("ip neigh add 10.77.1.6 dev lbbr-ursa lladdr 02:00:00:00:00:06 nud permanent");
        routes.introduce(&bridge, [10, 77, 1, 6].into(), [2, b'L', 10, 77, 1, 6]).await.unwrap();
        assert!(known(6).contains("02:00:00:00:00:06 PERMANENT"), "{}", known(6));
    });
}
