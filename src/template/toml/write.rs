//! A template in our own TOML.

use std::fmt::{Display, Write as _};
use std::path::Path;

use crate::template::{Attribute, Disk, DiskFormat, DiskSource, Ec2, Nic, Os, Words, WorkerTemplate};

/// The template as TOML. Reading it again gives the same template.
pub fn write(template: &WorkerTemplate) -> String {
    let mut out = Lines::default();
    out.text("name", template.name.as_deref());
    out.line("cpu", template.cpu);
    out.maybe("vcpu", template.vcpu);
    out.line("memory", amount(template.memory_mib));
    out.maybe("slots", template.slots);
    if let Some(os) = &template.os {
        os_table(os, &mut out);
    }
    for disk in &template.disks {
        disk_table(disk, &mut out);
    }
    for nic in &template.nics {
        nic_table(nic, &mut out);
    }
    if let Some(ec2) = &template.ec2 {
        ec2_table(ec2, &mut out);
    }
    if !template.other.is_empty() {
        out.header("[other]");
        for (name, values) in &template.other {
            let values: Vec<String> = values.iter().map(attribute).collect();
            out.line(name, format_args!("[{}]", values.join(", ")));
        }
    }
    out.0
}

fn os_table(os: &Os, out: &mut Lines) {
    out.header("[os]");
    out.path("kernel", os.kernel.as_deref());
    out.path("initrd", os.initrd.as_deref());
    out.text("root", os.root.as_deref());
    out.text("kernel-cmd", os.kernel_cmd.as_deref());
    out.text("arch", os.arch.as_deref());
    out.other(&os.other);
}

fn disk_table(disk: &Disk, out: &mut Lines) {
    out.header("[[disk]]");
    match &disk.source {
        DiskSource::Image(path) => out.path("image", Some(path)),
        DiskSource::Swap(mib) => out.line("swap", amount(*mib)),
        DiskSource::Empty(mib) => out.line("empty", amount(*mib)),
    }
    out.text("target", disk.target.as_deref());
    out.maybe("read-only", disk.read_only.then_some(true));
    let format = disk.format.map(|format| match format {
        DiskFormat::Raw => "raw",
        DiskFormat::Qcow2 => "qcow2",
    });
    out.text("format", format);
    out.other(&disk.other);
}

fn nic_table(nic: &Nic, out: &mut Lines) {
    out.header("[[nic]]");
    out.text("bridge", nic.bridge.as_deref());
    out.text("model", nic.model.as_deref());
    out.other(&nic.other);
}

fn ec2_table(ec2: &Ec2, out: &mut Lines) {
    out.header("[ec2]");
    out.text("ami", Some(&ec2.ami));
    out.text("key-pair", ec2.key_pair.as_deref());
    out.text("instance-type", ec2.instance_type.as_deref());
    if !ec2.authorized_ports.is_empty() {
        let ports: Vec<String> = ec2.authorized_ports.iter().map(|ports| quoted(&ports.to_string())).collect();
        out.line("authorized-ports", format_args!("[{}]", ports.join(", ")));
    }
    out.maybe("spot", ec2.spot.then_some(true));
    out.other(&ec2.other);
}

fn attribute(value: &Attribute) -> String {
    match value {
        Attribute::Single(text) => quoted(text),
        Attribute::Vector(words) => inline(words),
    }
}

fn inline(words: &Words) -> String {
    let pairs: Vec<String> = words.iter().map(|(key, text)| format!("{key} = {}", quoted(text))).collect();
    if pairs.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", pairs.join(", ")) }
}

/// MiB with the largest unit that says it exactly.
fn amount(mib: u64) -> String {
    if mib.is_multiple_of(1024) { format!("\"{} GiB\"", mib / 1024) } else { format!("\"{mib} MiB\"") }
}

/// A basic string on one line: what stands in an inline table may not break it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => write!(out, "\\u{:04X}", u32::from(c)).expect("a String takes everything"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn header(&mut self, header: &str) {
        writeln!(self.0, "\n{header}").expect("a String takes everything");
    }

    fn line(&mut self, key: &str, value: impl Display) {
        writeln!(self.0, "{key} = {value}").expect("a String takes everything");
    }

    fn maybe(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.line(key, value);
        }
    }

    fn text(&mut self, key: &str, value: Option<&str>) {
        self.maybe(key, value.map(quoted));
    }

    fn path(&mut self, key: &str, value: Option<&Path>) {
        self.maybe(key, value.map(|path| quoted(&path.to_string_lossy())));
    }

    fn other(&mut self, words: &Words) {
        if !words.is_empty() {
            self.line("other", inline(words));
        }
    }
}
