//! An order to look at.

use landbridge_pki::NodeName;

use super::{Launch, Order};
use crate::bootstrap::Seed;
use crate::naming::{self, Mac};
use crate::spec::ClusterName;
use crate::template;

/// The first machine of the worker of this name and number, from the template of 2008, in the cluster `ursa`.
pub fn example(worker: &str, worker_id: i64) -> Order {
    let cluster = ClusterName::new("ursa").expect("a label");
    let worker = NodeName::new(worker).expect("a label");
    Order {
        template: template::example(),
        bridge: naming::bridge(&cluster),
        mac: Mac::of([10, 77, 1, 1].into()),
        seed: Seed {
            user_data: "#cloud-config\n# landbridge: SECRET\n".into(),
            meta_data: "instance-id: lb-ursa-w1-7-1\n".into(),
            network_config: None,
        },
        launch: Launch { cluster, worker, worker_id, attempt: 1 },
    }
}
