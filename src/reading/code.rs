//! What can be wrong with a file.

use std::fmt;

use serde::Serialize;

macro_rules! codes {
    ($($(#[doc = $list_doc:literal])+ $list:ident { $($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)+ })+) => {
        /// The kind of a finding. The text is stable: scripts may rely on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $($($(#[doc = $doc])+ $variant,)+)+
        }

        impl Code {
            $(
                $(#[doc = $list_doc])+
                pub const $list: &'static [Self] = &[$(Self::$variant,)+];
            )+

            /// The kind as text.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($(Self::$variant => $text,)+)+
                }
            }
        }
    };
}

codes! {
/// What can be wrong with a cluster file; some of it with other files too.
CLUSTER {
    /// The text is no TOML.
    Syntax = "syntax",
    /// A section that every cluster needs isn't there.
    MissingSection = "missing-section",
    /// A key that its section needs isn't there.
    MissingKey = "missing-key",
    /// A key that nobody reads.
    UnknownKey = "unknown-key",
    /// A number where a text belongs, and the like.
    WrongType = "wrong-type",
    /// A number of more than 64 bits.
    NumberTooLarge = "number-too-large",

    /// The cluster's name is empty.
    ClusterNameEmpty = "cluster-name-empty",
    /// The cluster's name doesn't leave room for our prefix in an interface name.
    ClusterNameTooLong = "cluster-name-too-long",
    /// The cluster's name has characters that no host name has.
    ClusterNameIllFormed = "cluster-name-ill-formed",

    /// Not `ADDRESS/PREFIX`.
    SubnetIllFormed = "subnet-ill-formed",
    /// The address part of a subnet isn't its network address.
    HostBits = "host-bits",
    /// No room for a front-end and workers.
    SubnetTooSmall = "subnet-too-small",
    /// More than a /8.
    SubnetTooLarge = "subnet-too-large",
    /// Loopback, link-local, multicast, or reserved.
    SubnetUnusable = "subnet-unusable",
    /// Not one of RFC 1918's subnets.
    SubnetPublic = "subnet-public",
    /// The workers' range isn't part of the subnet.
    WorkersOutside = "workers-outside",
    /// The workers' range is the whole subnet.
    WorkersAreSubnet = "workers-are-subnet",
    /// The workers' range holds the front-end's address.
    WorkersHoldFrontEnd = "workers-hold-front-end",
    /// The workers' range holds the subnet's broadcast address.
    WorkersHoldBroadcast = "workers-hold-broadcast",
    /// The workers' range has fewer addresses than the clouds may have workers.
    WorkersTooFew = "workers-too-few",

    /// An MTU that no link has.
    MtuOutOfRange = "mtu-out-of-range",
    /// A vLAN packet and its VXLAN header don't fit into the underlay's packet.
    MtuTooLarge = "mtu-too-large",
    /// A frame that few switches carry.
    MtuJumbo = "mtu-jumbo",
    /// No way to join the bridges.
    UplinkNone = "uplink-none",
    /// More than one way to join the bridges.
    UplinkSeveral = "uplink-several",
    /// Not a 24-bit VXLAN identifier.
    VniOutOfRange = "vni-out-of-range",
    /// Not 1 to 4094.
    VlanIdOutOfRange = "vlan-id-out-of-range",
    /// A name that the kernel gives to no interface.
    NicIllFormed = "nic-ill-formed",
    /// A name that we give to our own interfaces.
    NicOurs = "nic-ours",
    /// The loopback interface as a port.
    NicLoopback = "nic-loopback",

    /// Not an IPv4 address.
    AddressIllFormed = "address-ill-formed",
    /// An address that no single machine has.
    AddressUnusable = "address-unusable",
    /// An address of the network below, inside the vLAN's subnet.
    AddressInVlan = "address-in-vlan",
    /// Two hosts with one address.
    AddressTwice = "address-twice",
    /// A host with the front-end's address.
    AddressOfFrontEnd = "address-of-front-end",
    /// Not 1 to 65535.
    PortOutOfRange = "port-out-of-range",
    /// A port that a service of the front-end has.
    PortTaken = "port-taken",
    /// None of the transports.
    TransportUnknown = "transport-unknown",
    /// Not 1 to 9 server processes.
    ServersOutOfRange = "servers-out-of-range",

    /// Not an RFC 1123 label.
    NameIllFormed = "name-ill-formed",
    /// Two hosts with one name.
    NameTwice = "name-twice",
    /// A host with the front-end's name.
    NameOfFrontEnd = "name-of-front-end",
    /// A name that means something else to the queue or to every machine.
    NameReserved = "name-reserved",

    /// Neither a physical host nor a cloud.
    HostKindNone = "host-kind-none",
    /// A physical host and a cloud at once.
    HostKindMixed = "host-kind-mixed",
    /// Not a libvirt URI that we know how to use.
    LibvirtUri = "libvirt-uri",
    /// Libvirt and a driver on one host.
    HypervisorTwice = "hypervisor-twice",
    /// A driver that isn't an absolute path.
    DriverRelative = "driver-relative",
    /// No processor, or more than any machine has.
    CpusOutOfRange = "cpus-out-of-range",
    /// A text that is no amount of memory.
    MemoryIllFormed = "memory-ill-formed",
    /// Less memory than any worker needs.
    MemoryTooSmall = "memory-too-small",
    /// A cloud for no worker, or for more than the range could ever hold.
    CloudWorkersOutOfRange = "cloud-workers-out-of-range",
    /// A text that is no region.
    RegionIllFormed = "region-ill-formed",
    /// An availability zone where a region belongs.
    RegionIsZone = "region-is-zone",
    /// A text that is no instance type.
    InstanceTypeIllFormed = "instance-type-ill-formed",
    /// A text that is no URL of an API.
    EndpointIllFormed = "endpoint-ill-formed",
    /// A text that is no id of a cloud's subnet.
    SubnetIdIllFormed = "subnet-id-ill-formed",

    /// NFS without an export.
    ExportsEmpty = "exports-empty",
    /// An export that doesn't start with `/`.
    ExportRelative = "export-relative",
    /// The whole file system as an export.
    ExportRoot = "export-root",
    /// A path that exports files can't hold.
    ExportIllFormed = "export-ill-formed",
    /// One export inside another.
    ExportNested = "export-nested",
    /// The same export twice.
    ExportTwice = "export-twice",
    /// A NIS domain that can't be a directory's name.
    NisDomainIllFormed = "nis-domain-ill-formed",
    /// A scheduler nobody knows.
    SchedulerUnknown = "scheduler-unknown",
    /// A scheduler that has its place but isn't built.
    SchedulerNotYet = "scheduler-not-yet",
}

/// What can be wrong with a worker template alone.
TEMPLATE {
    /// Something that we understand and OpenNebula refuses.
    NotOpennebula = "not-opennebula",
    /// OpenNebula's XML form.
    XmlForm = "xml-form",
    /// A key without a value.
    ValueMissing = "value-missing",
    /// A value of several words without quotes.
    BareWords = "bare-words",
    /// A quote that isn't closed.
    QuoteUnclosed = "quote-unclosed",
    /// A vector that isn't closed.
    VectorUnclosed = "vector-unclosed",
    /// A vector without keys.
    VectorEmpty = "vector-empty",
    /// A key that may be there once.
    KeyTwice = "key-twice",
    /// A key that has a place of its own among those that nobody reads.
    KeyKnown = "key-known",
    /// A text that is no name of a key.
    KeyIllFormed = "key-ill-formed",
    /// A text that is no number.
    NumberIllFormed = "number-ill-formed",
    /// A share of processors that no machine has.
    CpuOutOfRange = "cpu-out-of-range",
    /// A share of processors that is rounded up to hundredths.
    CpuRounded = "cpu-rounded",
    /// A number of processors or slots that no machine has.
    CountOutOfRange = "count-out-of-range",
    /// More than any machine has, or nothing.
    SizeOutOfRange = "size-out-of-range",
    /// Neither yes nor no.
    BooleanIllFormed = "boolean-ill-formed",
    /// A disk with nothing on it.
    DiskSourceNone = "disk-source-none",
    /// A disk with several sources.
    DiskSourceSeveral = "disk-source-several",
    /// An image of OpenNebula's store by its number.
    ImageId = "image-id",
    /// A disk format that we don't know.
    FormatUnknown = "format-unknown",
    /// A text that is no device's name.
    TargetIllFormed = "target-ill-formed",
    /// Two disks with one name.
    TargetTwice = "target-twice",
    /// A text that is no list of TCP ports.
    PortsIllFormed = "ports-ill-formed",
    /// What a provider can't honour.
    NotHonoured = "not-honoured",
    /// A provider can't make a machine of the template.
    CannotRun = "cannot-run",
}}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
