//! The cluster of the design's picture, for tests.

use landbridge_fabric::{Mtu, Vni};
use landbridge_pki::NodeName;

use crate::spec::{Cluster, ClusterName, FrontEnd, SchedulerKind, Services, Uplink, Vlan};

/// Cluster `ursa`: 10.77.0.0/16, tunnels at 198.51.100.1 port 1194.
pub(crate) fn cluster() -> Cluster {
    Cluster {
        name: ClusterName::new("ursa").expect("a name"),
        vlan: Vlan {
            subnet: "10.77.0.0/16".parse().expect("a network"),
            workers: "10.77.1.0/24".parse().expect("a network"),
            mtu: Mtu::ETHERNET,
            uplink: Uplink::Vxlan { vni: Vni::new(77).expect("a VNI"), underlay_mtu: None },
        },
        front_end: FrontEnd {
            name: NodeName::new("frontend").expect("a name"),
            public: [198, 51, 100, 1].into(),
            underlay: [192, 0, 2, 10].into(),
            api_port: 7443,
            tunnel_port: 1194,
        },
        services: Services { nfs: None, nis: None, scheduler: SchedulerKind::None },
        hosts: Vec::new(),
    }
}
