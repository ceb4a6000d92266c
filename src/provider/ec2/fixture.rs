//! What the provider's tests share: a cloud, orders, a client with made-up credentials.

use std::time::Duration;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::Credentials;
use landbridge_pki::NodeName;

use super::{Ec2, Patience, connect};
use crate::provider::{self, Launch, Order};
use crate::spec::{Cloud, ClusterName};
use crate::template::{Ec2 as Wish, WorkerTemplate};

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
    Ec2::with_client(cluster, host, cloud, patience, client)
}

pub(super) fn launch(n: i64) -> Launch {
    order(n, "ami-d5c226bc").launch
}

/// An order like that of the template of 2008.
pub(super) fn order(n: i64, ami: &str) -> Order {
    let example = provider::example(&format!("e{n}"), n);
    // A key pair would have to be made first.
    let wish = example.template.ec2.map(|wish| Wish { ami: ami.into(), key_pair: None, ..wish });
    Order { template: WorkerTemplate { ec2: wish, ..example.template }, ..example }
}
