//! What the provider's tests share: a cloud, orders, a client with made-up credentials.

use std::time::Duration;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::Credentials;
use landbridge_fabric::InterfaceName;
use landbridge_pki::NodeName;

use super::{Ec2, Patience, connect, images};
use crate::bootstrap::Seed;
use crate::naming::Mac;
use crate::provider::{Launch, Order};
use crate::spec::{Cloud, ClusterName};
use crate::template::{Authorized, Cpu, Ec2 as Wish, WorkerTemplate};

/// Short, for a cloud on loopback.
pub(super) const SHORT: Patience = Patience {
    answer: Duration::from_secs(2),
    attempts: 3,
    pause: Duration::from_millis(1),
    settling: Duration::from_millis(400),
};

pub(super) fn cloud(endpoint: &str) -> Cloud {
    Cloud {
        region: "us-east-1".into(),
        instance_type: "m1.small".into(),
        workers: 5,
        endpoint: Some(endpoint.into()),
        cpus: None,
        memory_mib: None,
        subnet: None,
        spot: false,
    }
}

pub(super) fn cluster(name: &str) -> ClusterName {
    ClusterName::new(name).expect("a cluster's name")
}

pub(super) async fn provider(cluster: ClusterName, cloud: Cloud, patience: Patience) -> Ec2 {
    let settings = connect::settings(&cloud, patience);
    let settings = settings.credentials_provider(Credentials::new("AKIDEXAMPLE", "example", None, None, "test"));
    let client = Client::new(&settings.load().await);
    let host = NodeName::new("ec2").expect("a label");
    Ec2 { cluster, host, cloud, client, patience, images: images::Known::default() }
}

pub(super) fn launch(n: i64) -> Launch {
    let worker = NodeName::new(format!("e{n}")).expect("a label");
    Launch { cluster: cluster("ursa"), worker, worker_id: n, attempt: 1 }
}

/// An order like that of the template of 2008.
pub(super) fn order(n: i64, ami: &str) -> Order {
    let wish = Wish {
        ami: ami.into(),
        key_pair: None,
        instance_type: Some("m1.small".into()),
        authorized_ports: vec![Authorized { from: 22, to: 22 }],
        spot: false,
        other: std::collections::BTreeMap::new(),
    };
    Order {
        launch: launch(n),
        template: template(wish),
        bridge: InterfaceName::new("lbbr-ursa").expect("an interface's name"),
        mac: Mac([2, 0, 0, 0, 0, 1]),
        seed: Seed { user_data: "#cloud-config\n".into(), meta_data: String::new(), network_config: None },
    }
}

fn template(wish: Wish) -> WorkerTemplate {
    WorkerTemplate {
        name: Some("sge_workernode".into()),
        cpu: Cpu(100),
        vcpu: None,
        memory_mib: 128,
        os: None,
        disks: Vec::new(),
        nics: Vec::new(),
        ec2: Some(wish),
        slots: None,
        other: std::collections::BTreeMap::new(),
    }
}
