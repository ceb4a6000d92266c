//! A template in OpenNebula's own syntax.

use std::fmt::Write as _;
use std::path::Path;

use crate::template::{Attribute, Authorized, Disk, DiskFormat, DiskSource, Ec2, Nic, Os, Words, WorkerTemplate};

/// A text that OpenNebula's syntax has no way to write: its only escape is `\"`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the value of `{key}` ends in a backslash, which OpenNebula's syntax can't say: change it, or keep the template in TOML"
)]
pub struct Inexpressible {
    /// Whose value it is.
    pub key: String,
}

/// The template as OpenNebula's text. Reading it again gives the same template.
pub fn write(template: &WorkerTemplate) -> Result<String, Inexpressible> {
    let mut out = String::new();
    if let Some(name) = &template.name {
        single(&mut out, "NAME", name)?;
    }
    plain(&mut out, "CPU", template.cpu);
    if let Some(vcpu) = template.vcpu {
        plain(&mut out, "VCPU", vcpu);
    }
    plain(&mut out, "MEMORY", template.memory_mib);
    if let Some(slots) = template.slots {
        plain(&mut out, "SLOTS", slots);
    }
    if let Some(os) = &template.os {
        vector(&mut out, "OS", os_keys(os), &os.other)?;
    }
    for disk in &template.disks {
        vector(&mut out, "DISK", disk_keys(disk), &disk.other)?;
    }
    for nic in &template.nics {
        vector(&mut out, "NIC", nic_keys(nic), &nic.other)?;
    }
    if let Some(ec2) = &template.ec2 {
        vector(&mut out, "EC2", ec2_keys(ec2), &ec2.other)?;
    }
    for (name, values) in &template.other {
        for value in values {
            match value {
                Attribute::Single(text) => single(&mut out, name, text)?,
                Attribute::Vector(words) => vector(&mut out, name, Vec::new(), words)?,
            }
        }
    }
    Ok(out)
}

type Keys = Vec<(&'static str, Option<String>)>;

fn os_keys(os: &Os) -> Keys {
    let path = |path: &Option<std::path::PathBuf>| path.as_deref().map(text_of);
    vec![
        ("KERNEL", path(&os.kernel)),
        ("INITRD", path(&os.initrd)),
        ("ROOT", os.root.clone()),
        ("KERNEL_CMD", os.kernel_cmd.clone()),
        ("ARCH", os.arch.clone()),
    ]
}

fn disk_keys(disk: &Disk) -> Keys {
    let mut keys = match &disk.source {
        DiskSource::Image(path) => vec![("SOURCE", Some(text_of(path)))],
        DiskSource::Swap(mib) => vec![("TYPE", Some("swap".into())), ("SIZE", Some(mib.to_string()))],
        // A type of its own says more than ours.
        DiskSource::Empty(mib) if disk.other.contains_key("TYPE") => vec![("SIZE", Some(mib.to_string()))],
        DiskSource::Empty(mib) => vec![("TYPE", Some("fs".into())), ("SIZE", Some(mib.to_string()))],
    };
    let driver = disk.format.map(|format| match format {
        DiskFormat::Raw => "raw".to_owned(),
        DiskFormat::Qcow2 => "qcow2".to_owned(),
    });
    // A driver that we don't know is kept as it is: the format has another name then.
    let format = if disk.other.contains_key("DRIVER") { "FORMAT" } else { "DRIVER" };
    keys.extend([
        ("TARGET", disk.target.clone()),
        ("READONLY", disk.read_only.then(|| "yes".to_owned())),
        (format, driver),
    ]);
    keys
}

fn nic_keys(nic: &Nic) -> Keys {
    vec![("BRIDGE", nic.bridge.clone()), ("MODEL", nic.model.clone())]
}

fn ec2_keys(ec2: &Ec2) -> Keys {
    let ports: Vec<String> = ec2.authorized_ports.iter().map(ToString::to_string).collect();
    vec![
        ("AMI", Some(ec2.ami.clone())),
        ("KEYPAIR", ec2.key_pair.clone()),
        ("AUTHORIZED_PORTS", (!ports.is_empty()).then(|| ports.join(","))),
        ("INSTANCETYPE", ec2.instance_type.clone()),
        ("SPOT", ec2.spot.then(|| "yes".to_owned())),
    ]
}

fn text_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn plain(out: &mut String, name: &str, value: impl std::fmt::Display) {
    writeln!(out, "{name} = {value}").expect("a String takes everything");
}

fn single(out: &mut String, name: &str, text: &str) -> Result<(), Inexpressible> {
    plain(out, name, quoted(name, text)?);
    Ok(())
}

fn vector(out: &mut String, name: &str, keys: Keys, other: &Words) -> Result<(), Inexpressible> {
    let own = keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    let kept = other.iter().map(|(key, value)| (key.clone(), value.clone()));
    let mut pairs = Vec::new();
    for (key, text) in own.chain(kept) {
        let text = quoted(&format!("{name}.{key}"), &text)?;
        pairs.push(format!("{key} = {text}"));
    }
    plain(out, name, format_args!("[ {} ]", pairs.join(", ")));
    Ok(())
}

fn quoted(key: &str, text: &str) -> Result<String, Inexpressible> {
    if text.ends_with('\\') {
        return Err(Inexpressible { key: key.to_owned() });
    }
    Ok(format!("\"{}\"", text.replace('"', "\\\"")))
}

impl std::fmt::Display for Authorized {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.from == self.to { write!(f, "{}", self.from) } else { write!(f, "{}-{}", self.from, self.to) }
    }
}
