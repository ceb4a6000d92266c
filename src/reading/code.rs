//! What can be wrong with a cluster file.

use std::fmt;

use serde::Serialize;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)+) => {
        /// The kind of a finding. The text is stable: scripts may rely on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The kind as text.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    };
}

codes! {
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
    /// Both ports are the same number.
    PortTwice = "port-twice",
    /// A port that a service of the front-end has.
    PortTaken = "port-taken",

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
