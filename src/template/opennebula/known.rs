//! OpenNebula's attribute names, from its references of 1.0 to 6: what is known isn't a slip of the finger.

/// Attributes of a template that mean something here.
pub(super) const READ: &[&str] =
    &["NAME", "CPU", "VCPU", "MEMORY", "OS", "DISK", "NIC", "EC2", "PUBLIC_CLOUD", "SLOTS"];

/// Those that OpenNebula documents besides.
const OTHERS: &[&str] = &[
    "ACPI",
    "AS_GID",
    "AS_GROUP",
    "AS_UID",
    "BACKUP_CONFIG",
    "CONTEXT",
    "CPU_COST",
    "CPU_MODEL",
    "DESCRIPTION",
    "DISK_COST",
    "EMULATOR",
    "FEATURES",
    "GRAPHICS",
    "HYPERVISOR",
    "INFO",
    "INPUT",
    "INPUTS_ORDER",
    "LOGO",
    "LXD_SECURITY_PRIVILEGED",
    "MEMORY_COST",
    "MEMORY_MAX",
    "MEMORY_RESIZE_MODE",
    "MEMORY_SLOTS",
    "MEMORY_UNIT_COST",
    "NIC_ALIAS",
    "NIC_DEFAULT",
    "NUMA_NODE",
    "PCI",
    "PROVISION",
    "RANK",
    "RAW",
    "REQUIREMENTS",
    "SAVE_TYPE",
    "SCHED_ACTION",
    "SCHED_DS_RANK",
    "SCHED_DS_REQUIREMENTS",
    "SCHED_MESSAGE",
    "SCHED_RANK",
    "SCHED_REQUIREMENTS",
    "SNAPSHOT",
    "SUNSTONE",
    "SUNSTONE_CAPACITY_SELECT",
    "SUNSTONE_NETWORK_SELECT",
    "TEMPLATE_ID",
    "TM_MAD_SYSTEM",
    "TOPOLOGY",
    "USER_INPUTS",
    "VCPU_MAX",
    "VIDEO",
    "VMGROUP",
    "VROUTER",
];

/// Keys of a vector: those that mean something here, and those that OpenNebula documents besides.
pub(super) struct Keys {
    /// The vector's name.
    pub(super) vector: &'static str,
    /// Those that mean something here.
    pub(super) read: &'static [&'static str],
    /// The others.
    pub(super) others: &'static [&'static str],
}

pub(super) const OS: Keys = Keys {
    vector: "OS",
    read: &["KERNEL", "INITRD", "ROOT", "KERNEL_CMD", "ARCH"],
    others: &[
        "BOOT",
        "BOOTLOADER",
        "FIRMWARE",
        "FIRMWARE_SECURE",
        "GUESTOS",
        "INITRD_DS",
        "INITRD_PATH",
        "KERNEL_DS",
        "KERNEL_PATH",
        "MACHINE",
        "SD_DISK_BUS",
        "UUID",
    ],
};

pub(super) const DISK: Keys = Keys {
    vector: "DISK",
    read: &["SOURCE", "IMAGE", "IMAGE_ID", "TARGET", "READONLY", "TYPE", "SIZE", "DRIVER", "FORMAT"],
    others: &[
        "BUS",
        "CACHE",
        "CLONE",
        "CLUSTER_ID",
        "DATASTORE",
        "DATASTORE_ID",
        "DEV_PREFIX",
        "DISCARD",
        "DISK_ID",
        "DISK_TYPE",
        "FS",
        "IMAGE_UID",
        "IMAGE_UNAME",
        "IO",
        "IOTHREAD",
        "LABEL",
        "NAME",
        "ORDER",
        "POOL_NAME",
        "RECOVERY_SNAPSHOT_FREQ",
        "READ_BYTES_SEC",
        "READ_IOPS_SEC",
        "SAVE",
        "SERIAL",
        "TM_MAD",
        "TOTAL_BYTES_SEC",
        "TOTAL_IOPS_SEC",
        "VIRTIO_BLK_QUEUES",
        "WRITE_BYTES_SEC",
        "WRITE_IOPS_SEC",
    ],
};

pub(super) const NIC: Keys = Keys {
    vector: "NIC",
    read: &["BRIDGE", "MODEL"],
    others: &[
        "ALIAS",
        "BLACK_PORTS_TCP",
        "BLACK_PORTS_UDP",
        "BRIDGE_TYPE",
        "CLUSTER_ID",
        "DNS",
        "EXTERNAL",
        "FILTER",
        "FILTER_IP_SPOOFING",
        "FILTER_MAC_SPOOFING",
        "GATEWAY",
        "GUACAMOLE",
        "ICMP",
        "INBOUND_AVG_BW",
        "INBOUND_PEAK_BW",
        "INBOUND_PEAK_KB",
        "IP",
        "IP6",
        "MAC",
        "METHOD",
        "MTU",
        "NAME",
        "NETWORK",
        "NETWORK_ADDRESS",
        "NETWORK_ID",
        "NETWORK_MASK",
        "NETWORK_MODE",
        "NETWORK_UID",
        "NETWORK_UNAME",
        "NIC_ID",
        "OUTBOUND_AVG_BW",
        "OUTBOUND_PEAK_BW",
        "OUTBOUND_PEAK_KB",
        "PARENT",
        "PHYDEV",
        "PORT_RANGE",
        "RANK",
        "RDP",
        "REQUIREMENTS",
        "SCHED_RANK",
        "SCHED_REQUIREMENTS",
        "SCRIPT",
        "SEARCH_DOMAIN",
        "SECURITY_GROUPS",
        "SSH",
        "TARGET",
        "TYPE",
        "VIRTIO_QUEUES",
        "VLAN",
        "VLAN_ID",
        "VNET",
        "VN_MAD",
        "WHITE_PORTS_TCP",
        "WHITE_PORTS_UDP",
    ],
};

pub(super) const EC2: Keys = Keys {
    vector: "EC2",
    read: &["AMI", "KEYPAIR", "INSTANCETYPE", "AUTHORIZED_PORTS", "SPOT"],
    others: &[
        "AKI",
        "AVAILABILITYZONE",
        "BLOCKDEVICEMAPPING",
        "CLIENTTOKEN",
        "CLOUD",
        "EBS_OPTIMIZED",
        "ELASTICIP",
        "HOST",
        "LICENSEPOOL",
        "PLACEMENTGROUP",
        "PRIVATEIP",
        "RAMDISK",
        "SECURITYGROUPIDS",
        "SECURITYGROUPS",
        "SUBNETID",
        "TAGS",
        "TENANCY",
        "TYPE",
        "USERDATA",
    ],
};

/// Whether OpenNebula or we know an attribute.
pub(super) fn is_known(name: &str) -> bool {
    READ.contains(&name) || OTHERS.contains(&name)
}

/// Every attribute's name, for "did you mean".
pub(super) fn all() -> Vec<&'static str> {
    READ.iter().chain(OTHERS).copied().collect()
}

/// Whether it is an attribute's name, and no key of any vector.
pub(super) fn is_only_top_level(name: &str) -> bool {
    is_known(name) && ![OS, DISK, NIC, EC2].iter().any(|keys| keys.read.contains(&name) || keys.others.contains(&name))
}
