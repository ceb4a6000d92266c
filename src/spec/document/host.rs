//! `[[host]]` as it is written.

use schemars::JsonSchema;

use crate::reading::{Need, Placed, Section, Span};

/// A physical host (underlay, cpus, memory, libvirt or driver) or a cloud (ec2).
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "host", rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::spec) struct HostSection {
    #[schemars(skip)]
    pub(in crate::spec) span: Span,
    /// Its name, unique in the cluster.
    #[schemars(required, length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub(in crate::spec) name: Option<Placed<String>>,
    /// The keys of a physical host that are there, whatever their values.
    #[schemars(skip)]
    pub(in crate::spec) physical: Vec<&'static str>,
    /// Whether `ec2` is there, whatever its value.
    #[schemars(skip)]
    pub(in crate::spec) is_cloud: bool,
    /// A physical host's IPv4 address towards the other members.
    #[schemars(extend("format" = "ipv4"))]
    pub(in crate::spec) underlay: Option<Placed<String>>,
    /// A physical host's hypervisor, for example qemu+ssh://root@ursa01/system.
    pub(in crate::spec) libvirt: Option<Placed<String>>,
    /// Instead of libvirt: the absolute path of a program on the front-end that makes a physical host's machines.
    #[schemars(regex(pattern = r"^/."))]
    pub(in crate::spec) driver: Option<Placed<String>>,
    /// A physical host's processors for workers.
    #[schemars(range(min = 1, max = 4096))]
    pub(in crate::spec) cpus: Option<Placed<i64>>,
    /// A physical host's memory for workers, for example "8 GiB".
    pub(in crate::spec) memory: Option<Placed<String>>,
    /// A cloud: a host of a fixed size.
    pub(in crate::spec) ec2: Option<CloudTable>,
}

impl HostSection {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let physical: Vec<_> = PHYSICAL_KEYS.into_iter().filter(|key| section.has(key)).collect();
        // The keys that are there say what kind of host was meant, and so which others it lacks.
        let need = if section.has("ec2") || physical.is_empty() { Need::Optional } else { Need::Required };
        let read = Self {
            span: section.span.clone(),
            name: section.text("name", Need::Required("\"ursa01\"")),
            underlay: section.text("underlay", need("\"192.0.2.11\"")),
            libvirt: section.text("libvirt", Need::Optional("\"qemu:///system\"")),
            driver: section.text("driver", Need::Optional("\"/usr/local/lib/landbridge/driver\"")),
            cpus: section.integer("cpus", need("8")),
            memory: section.text("memory", need("\"8 GiB\"")),
            is_cloud: section.has("ec2"),
            ec2: section
                .table("ec2", Need::Optional("{ region = …, instance-type = …, workers = … }"))
                .map(CloudTable::read),
            physical,
        };
        section.finish();
        read
    }
}

/// The keys that only a physical host has.
const PHYSICAL_KEYS: [&str; 5] = ["underlay", "libvirt", "driver", "cpus", "memory"];

/// A cloud: a host of a fixed size.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "ec2", rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::spec) struct CloudTable {
    #[schemars(skip)]
    pub(in crate::spec) span: Span,
    /// For example us-east-1.
    #[schemars(required)]
    pub(in crate::spec) region: Option<Placed<String>>,
    /// For example m1.small.
    #[schemars(required, regex(pattern = r"^[a-z0-9-]+\.[a-z0-9-]+$"))]
    pub(in crate::spec) instance_type: Option<Placed<String>>,
    /// At most this many workers.
    #[schemars(required, range(min = 1, max = 10_000))]
    pub(in crate::spec) workers: Option<Placed<i64>>,
    /// The URL of another cloud that speaks EC2's API.
    #[schemars(extend("format" = "uri"), regex(pattern = r"^https?://."))]
    pub(in crate::spec) endpoint: Option<Placed<String>>,
    /// Processors of one machine, unless the cloud is to be asked.
    #[schemars(range(min = 1, max = 4096))]
    pub(in crate::spec) cpus: Option<Placed<i64>>,
    /// Memory of one machine, for example "1.7 GiB", unless the cloud is to be asked.
    pub(in crate::spec) memory: Option<Placed<String>>,
    /// The subnet of the machines, unless it is the region's default: subnet-…
    #[schemars(regex(pattern = r"^subnet-[0-9a-f]+$"))]
    pub(in crate::spec) subnet: Option<Placed<String>>,
    /// Whether machines are asked for on the spot market.
    #[schemars(default)]
    pub(in crate::spec) spot: Option<Placed<bool>>,
}

impl CloudTable {
    fn read(mut section: Section<'_>) -> Self {
        let read = Self {
            span: section.span.clone(),
            region: section.text("region", Need::Required("\"us-east-1\"")),
            instance_type: section.text("instance-type", Need::Required("\"m1.small\"")),
            workers: section.integer("workers", Need::Required("5")),
            endpoint: section.text("endpoint", Need::Optional("\"https://ec2.example.org\"")),
            cpus: section.integer("cpus", Need::Optional("1")),
            memory: section.text("memory", Need::Optional("\"1.7 GiB\"")),
            subnet: section.text("subnet", Need::Optional("\"subnet-0123456789abcdef0\"")),
            spot: section.boolean("spot", Need::Optional("true")),
        };
        section.finish();
        read
    }
}
