//! What a provider can't honour of a template.

use super::{Code, Disk, DiskSource, Severity, Words, WorkerTemplate};

/// Who is to make the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A hypervisor on a physical host.
    Libvirt,
    /// EC2, or a cloud that speaks its API.
    Ec2,
}

/// One thing that a provider can't honour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// An error when no machine can be made.
    pub severity: Severity,
    /// Its kind, for programs.
    pub code: Code,
    /// What it is about: `GRAPHICS`, `DISK[0].BUS`; empty: the whole template.
    pub about: String,
    /// What isn't honoured, one sentence without a full stop.
    pub message: String,
    /// What happens instead, or what to write.
    pub hint: String,
}

/// Everything that the provider can't honour: errors first, then in the template's order.
pub fn findings_for(template: &WorkerTemplate, target: Target) -> Vec<Limit> {
    let mut limits = Limits::default();
    match target {
        Target::Libvirt => local(template, &mut limits),
        Target::Ec2 => cloud(template, &mut limits),
    }
    for name in template.other.keys() {
        limits.ignored(name, name, general(name));
    }
    limits.0.sort_by_key(|limit| limit.severity != Severity::Error);
    limits.0
}

#[derive(Default)]
struct Limits(Vec<Limit>);

impl Limits {
    fn ignored(&mut self, about: impl Into<String>, what: &str, hint: impl Into<String>) {
        self.warning(about, format!("`{what}` isn't honoured"), hint);
    }

    fn warning(&mut self, about: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) {
        let (about, message, hint) = (about.into(), message.into(), hint.into());
        self.0.push(Limit { severity: Severity::Warning, code: Code::NotHonoured, about, message, hint });
    }

    fn error(&mut self, about: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) {
        let (about, message, hint) = (about.into(), message.into(), hint.into());
        self.0.push(Limit { severity: Severity::Error, code: Code::CannotRun, about, message, hint });
    }
}

fn local(template: &WorkerTemplate, limits: &mut Limits) {
    if !template.runs_on_physical() {
        let hint = "add DISK = [ SOURCE = … ], or OS = [ KERNEL = … ]; in TOML [[disk]] and [os]";
        limits.error("", "a local machine has nothing to start from: no disk and no kernel", hint);
    }
    if let Some(os) = &template.os {
        let needs_kernel = os.initrd.is_some() || os.root.is_some() || os.kernel_cmd.is_some();
        if os.kernel.is_none() && needs_kernel {
            let hint = "name a kernel too, or leave them out: the first disk's own boot loader starts it";
            limits.warning("OS", "an initial file system, a root device and kernel arguments need a kernel", hint);
        }
        for (key, value) in &os.other {
            let from_disk = value.split(',').next().is_some_and(|first| matches!(first, "hd" | "disk0"));
            if key != "BOOT" || !from_disk {
                limits.ignored(format!("OS.{key}"), &format!("OS.{key}"), boot(key));
            }
        }
    }
    for (n, disk) in template.disks.iter().enumerate() {
        disk_limits(n, disk, limits);
    }
    for (n, nic) in template.nics.iter().enumerate() {
        match (n, &nic.bridge) {
            (0, Some(bridge)) => {
                let hint = "the first card is the vLAN's, on our own bridge of each host";
                limits.warning("NIC[0]", format!("the first card isn't put on the bridge {bridge:?}"), hint);
            }
            (1.., None) => {
                let hint = "say BRIDGE = \"…\": a bridge that every host has";
                limits.warning(format!("NIC[{n}]"), "this card names no bridge and is left out", hint);
            }
            _ => {}
        }
        for key in nic.other.keys() {
            limits.ignored(format!("NIC[{n}].{key}"), &format!("NIC.{key}"), card(key));
        }
    }
}

fn disk_limits(n: usize, disk: &Disk, limits: &mut Limits) {
    if let DiskSource::Image(path) = &disk.source
        && path.to_string_lossy().contains("://")
    {
        let hint = "copy the image to the host, and name the file: nothing is downloaded while a worker boots";
        limits.error(format!("DISK[{n}]"), format!("{:?} is no file on the host", path.display()), hint);
    }
    let is_image = matches!(disk.source, DiskSource::Image(_));
    for (key, value) in &disk.other {
        let yes = matches!(value.to_ascii_lowercase().as_str(), "yes" | "true" | "1");
        // What they ask for is what happens anyhow.
        let anyhow = (key == "CLONE" && yes && is_image) || (key == "SAVE" && !yes);
        if !anyhow {
            limits.ignored(format!("DISK[{n}].{key}"), &format!("DISK.{key}"), disk_key(key));
        }
    }
}

fn cloud(template: &WorkerTemplate, limits: &mut Limits) {
    let Some(ec2) = &template.ec2 else {
        let hint = "add EC2 = [ AMI = \"ami-…\" ]; in TOML [ec2] with ami";
        limits.error("", "the template doesn't say what to ask of EC2", hint);
        return;
    };
    if template.vcpu.is_some() {
        limits.ignored("VCPU", "VCPU", "the instance type decides how many processors the machine sees");
    }
    unhonoured(&ec2.other, "EC2", cloud_key, limits);
}

fn unhonoured(words: &Words, section: &str, hint: fn(&str) -> &'static str, limits: &mut Limits) {
    for key in words.keys() {
        let about = format!("{section}.{key}");
        limits.ignored(about.clone(), &about, hint(key));
    }
}

fn general(name: &str) -> &'static str {
    match name {
        "REQUIREMENTS" | "RANK" | "HYPERVISOR" => "where a worker runs is said at its boot: --on HOST, pack or spread",
        name if name.starts_with("SCHED_") => "where a worker runs is said at its boot: --on HOST, pack or spread",
        "CONTEXT" | "USER_INPUTS" => "a worker gets user-data of ours, by which it joins the cluster",
        "GRAPHICS" | "VIDEO" | "INPUT" | "SOUND" => "a worker has no screen: its serial console is kept in a log",
        "RAW" => "nothing is passed to the hypervisor unread",
        "FEATURES" | "ACPI" => "ACPI and APIC are always on",
        "EC2" | "PUBLIC_CLOUD" => "the first EC2 part counts; the clouds themselves stand in cluster.toml",
        "CPU_MODEL" | "TOPOLOGY" | "NUMA_NODE" | "PCI" => "the machine sees the processors that the host can give it",
        _ => "nothing here reads it; it is kept when the template is converted",
    }
}

fn boot(key: &str) -> &'static str {
    match key {
        "BOOT" => "the machine starts from its kernel or its first disk",
        "BOOTLOADER" => "name a kernel instead, or let the first disk's own boot loader start it",
        "KERNEL_DS" | "INITRD_DS" | "KERNEL_PATH" | "INITRD_PATH" => {
            "say KERNEL and INITRD: paths of files on the host"
        }
        _ => "the hypervisor's own default is taken",
    }
}

fn disk_key(key: &str) -> &'static str {
    match key {
        "CLONE" | "SAVE" | "PERSISTENT" => {
            "an image is never written: each machine gets an overlay, which goes with it"
        }
        "SIZE" => "the disk is as large as its image",
        "TYPE" => "it is attached as a disk",
        "BUS" | "DEV_PREFIX" => "the disk's name says enough: TARGET = \"sda\" or \"vda\"",
        "FORMAT" | "FS" => "a new file system is ext4; an image's format is raw or qcow2",
        "DRIVER" => "an image's format is raw or qcow2",
        "IMAGE_UNAME" | "IMAGE_UID" | "DATASTORE" | "DATASTORE_ID" => {
            "there is no image store: SOURCE names a file on the host"
        }
        _ => "the hypervisor's own default is taken",
    }
}

fn card(key: &str) -> &'static str {
    match key {
        "MAC" => "a worker's MAC address follows from its record, so that every host knows it",
        "IP" | "IP6" | "GATEWAY" | "DNS" | "NETWORK_ADDRESS" | "NETWORK_MASK" => {
            "a worker's address is leased from the vLAN"
        }
        "NETWORK" | "NETWORK_ID" | "NETWORK_UNAME" | "NETWORK_UID" | "VNET" | "NETWORK_MODE" => {
            "networks have no names here: the first card is the vLAN's, others name a bridge"
        }
        "VLAN" | "VLAN_ID" | "VN_MAD" | "PHYDEV" => "how bridges are joined stands in cluster.toml",
        _ => "the card is a plain port of its bridge",
    }
}

fn cloud_key(key: &str) -> &'static str {
    match key {
        "CLOUD" | "HOST" => "which cloud it is stands in cluster.toml: each is a host with a region",
        "ELASTICIP" | "PRIVATEIP" => {
            "an instance needs no fixed address: it calls home, and its address on the vLAN is leased"
        }
        "USERDATA" => "the user-data is ours: by it the instance joins the cluster",
        "SECURITYGROUPS" | "SECURITYGROUPIDS" => "the instance gets a group of ours, with AUTHORIZED_PORTS open",
        "SUBNETID" | "AVAILABILITYZONE" => "the cloud's host in cluster.toml names a subnet",
        "CLIENTTOKEN" => "each attempt has a token of ours, so that no second instance is made",
        "TAGS" => "the tags are ours: by them we know what is ours",
        "AKI" | "RAMDISK" | "BLOCKDEVICEMAPPING" => "the image says what the instance starts from",
        _ => "EC2's own default is taken",
    }
}
