//! What makes something on a host ours. A machine bears its launch in the metadata of its definition. A volume has no such place:
//! it lies in a directory that we made for the cluster, and nobody else puts anything there; its name has the launch.

use landbridge_pki::NodeName;
use ring::digest::{SHA256, digest};
use serde::Deserialize;

use super::xml::Element;
use crate::provider::Launch;
use crate::spec::ClusterName;

/// Our namespace in a domain's metadata.
pub(super) const NAMESPACE: &str = "urn:landbridge:launch:1";

#[derive(Deserialize)]
struct Tag {
    #[serde(rename = "@cluster")]
    cluster: ClusterName,
    #[serde(rename = "@worker")]
    worker: NodeName,
    #[serde(rename = "@worker-id")]
    worker_id: i64,
    #[serde(rename = "@attempt")]
    attempt: u32,
}

/// The tag for a domain's metadata.
pub(super) fn tag(launch: &Launch) -> Element {
    Element::new("landbridge:launch")
        .attribute("xmlns:landbridge", NAMESPACE)
        .attribute("cluster", &launch.cluster)
        .attribute("worker", &launch.worker)
        .attribute("worker-id", launch.worker_id)
        .attribute("attempt", launch.attempt)
}

/// The launch in a tag, as libvirt gives it back.
pub(super) fn read_tag(xml: &str) -> Option<Launch> {
    let Tag { cluster, worker, worker_id, attempt } = quick_xml::de::from_str(xml).ok()?;
    Some(Launch { cluster, worker, worker_id, attempt })
}

/// The UUID that follows from a name (RFC 9562, version 8): asked twice for the same machine, libvirt finds the first.
pub(super) fn uuid(name: &str) -> String {
    let hash = digest(&SHA256, format!("landbridge {name}").as_bytes());
    let mut bytes: [u8; 16] = hash.as_ref()[..16].try_into().expect("SHA-256 has 32 bytes");
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..4], &hex[4..6], &hex[6..8], &hex[8..10], &hex[10..]].map(<[String]>::concat).join("-")
}

/// A volume's name: the launch's, a dot (which no worker's name has), and what it is.
pub(super) fn volume(launch: &Launch, part: &str) -> String {
    format!("{}.{part}", launch.name())
}

/// Whose volume it is; `None` for a name that is not of our making.
pub(super) fn owner(cluster: &ClusterName, volume: &str) -> Option<Launch> {
    let (stem, _) = volume.split_once('.')?;
    let rest = stem.strip_prefix(&format!("lb-{cluster}-"))?;
    let (rest, attempt) = rest.rsplit_once('-')?;
    let (worker, worker_id) = rest.rsplit_once('-')?;
    let worker = NodeName::new(worker).ok()?;
    Some(Launch {
        cluster: cluster.clone(),
        worker,
        worker_id: worker_id.parse().ok()?,
        attempt: attempt.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(cluster: &str, worker: &str) -> Launch {
        let (cluster, worker) = (ClusterName::new(cluster).expect("a name"), NodeName::new(worker).expect("a name"));
        Launch { cluster, worker, worker_id: 7, attempt: 2 }
    }

    #[test]
    fn a_tag_is_read_back_in_whatever_form_libvirt_gives_it() {
        let launch = launch("ursa", "w1");
        let text = tag(&launch).to_string();
        assert_eq!(read_tag(&text), Some(launch.clone()));
        let bare = format!("<launch xmlns=\"{NAMESPACE}\" cluster='ursa' worker='w1' worker-id='7' attempt='2'/>");
        assert_eq!(read_tag(&bare), Some(launch));
        assert_eq!(read_tag("<other/>"), None);
    }

    #[test]
    fn a_volume_tells_whose_it_is_though_names_have_hyphens() {
        let launch = launch("a-b", "w-1-2");
        assert_eq!(owner(&launch.cluster, &volume(&launch, "disk0")), Some(launch.clone()));
        for other in ["probe.boot", "lb-a-b-w.x", "lb-c-w-1-1.disk0", "disk.img", "lb-a-b-w-1-1"] {
            assert_eq!(owner(&launch.cluster, other), None, "{other}");
        }
    }

    #[test]
    fn a_uuid_follows_from_the_launch_and_only_from_it() {
        let name = launch("ursa", "w1").name();
        assert_eq!(uuid(&name), uuid(&name));
        assert_ne!(uuid(&name), uuid("lb-ursa-w1-7-3"));
        let parts: Vec<usize> = uuid(&name).split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
    }
}
