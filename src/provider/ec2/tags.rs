//! What is ours bears tags; they say whose it is. Pure.

use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};
use landbridge_pki::NodeName;
use ring::digest::{SHA256, digest};

use super::Launch;
use crate::spec::ClusterName;

/// The cluster's name: makes a thing ours.
pub(super) const CLUSTER: &str = "landbridge:cluster";
/// The host of the cluster's file; a cluster may have several clouds in one region.
pub(super) const HOST: &str = "landbridge:host";
/// The worker's name.
pub(super) const WORKER: &str = "landbridge:worker";
/// The worker's record.
pub(super) const WORKER_ID: &str = "landbridge:worker-id";
/// Which attempt at it.
pub(super) const ATTEMPT: &str = "landbridge:attempt";
/// The ports of a security group.
pub(super) const PORTS: &str = "landbridge:ports";

/// The tags of everything that a launch makes.
pub(super) fn of_launch(launch: &Launch, host: &NodeName) -> Vec<Tag> {
    vec![
        tag("Name", launch.name()),
        tag(CLUSTER, launch.cluster.as_str()),
        tag(HOST, host.as_str()),
        tag(WORKER, launch.worker.as_str()),
        tag(WORKER_ID, launch.worker_id.to_string()),
        tag(ATTEMPT, launch.attempt.to_string()),
    ]
}

/// Whose it is; `None` when its tags are no launch's.
pub(super) fn launch(tags: &[Tag]) -> Option<Launch> {
    Some(Launch {
        cluster: ClusterName::new(value(tags, CLUSTER)?).ok()?,
        worker: NodeName::new(value(tags, WORKER)?).ok()?,
        worker_id: value(tags, WORKER_ID)?.parse().ok()?,
        attempt: value(tags, ATTEMPT)?.parse().ok()?,
    })
}

/// The value of a tag.
pub(super) fn value<'a>(tags: &'a [Tag], key: &str) -> Option<&'a str> {
    tags.iter().find(|tag| tag.key() == Some(key)).and_then(Tag::value)
}

pub(super) fn tag(key: &str, value: impl Into<String>) -> Tag {
    Tag::builder().key(key).value(value).build()
}

/// Only what bears this tag.
pub(super) fn filter(key: &str, value: &str) -> Filter {
    named_filter(&format!("tag:{key}"), value)
}

/// Only what has this property.
pub(super) fn named_filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// Everything of a host of the cluster.
pub(super) fn filters_of_host(cluster: &ClusterName, host: &NodeName) -> Vec<Filter> {
    vec![filter(CLUSTER, cluster.as_str()), filter(HOST, host.as_str())]
}

/// Tags that a thing has from its first moment.
pub(super) fn from_the_start(kind: ResourceType, tags: &[Tag]) -> TagSpecification {
    TagSpecification::builder().resource_type(kind).set_tags(Some(tags.to_vec())).build()
}

/// What EC2 knows a launch by: the same for the same launch, at most 64 ASCII characters.
pub(super) fn client_token(launch: &Launch, host: &NodeName) -> String {
    use std::fmt::Write as _;
    let text = format!("{}\0{host}\0{}\0{}", launch.cluster, launch.worker_id, launch.attempt);
    digest(&SHA256, text.as_bytes()).as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
