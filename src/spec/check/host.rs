//! `[[host]]`: a physical host or a cloud.

use super::addresses::address;
use super::names::node_name;
use crate::spec::document::{CloudTable, HostSection};
use crate::spec::findings::Sink;
use crate::spec::memory::parse_mib;
use crate::spec::reader::Placed;
use crate::spec::{Cloud, Code, Host, HostKind, PhysicalHost};

/// Less than this boots no worker.
const LEAST_MIB: u64 = 64;
/// More processors than any machine has (the kernel's own limit is 8192).
const MOST_CPUS: i64 = 4096;
/// More workers than one vLAN segment should carry.
const MOST_CLOUD_WORKERS: i64 = 10_000;

/// One host by itself.
pub(super) fn check(section: &HostSection, sink: &Sink<'_>) -> Option<Host> {
    let name = section.name.as_ref().and_then(|name| node_name(name, sink));
    let kind = kind(section, sink);
    Some(Host { name: name?, kind: kind? })
}

fn kind(section: &HostSection, sink: &Sink<'_>) -> Option<HostKind> {
    let physical = physical(section, sink);
    let cloud = section.ec2.as_ref().and_then(|table| cloud(table, sink));
    match (section.physical.as_slice(), section.is_cloud) {
        ([], false) => {
            let message = format!("{} is neither a physical host nor a cloud", title(section));
            let hint = "a physical host has `underlay`, `cpus` and `memory`; a cloud has `ec2 = { … }`";
            sink.error(Code::HostKindNone, &section.span, message, hint);
            None
        }
        ([], true) => cloud.map(HostKind::Cloud),
        (_, false) => physical.map(HostKind::Physical),
        (keys, true) => {
            let place = section.ec2.as_ref().map_or(&section.span, |table| &table.span);
            let keys = keys.join("`, `");
            let message = format!("{} is a physical host (`{keys}`) and a cloud (`ec2`) at once", title(section));
            sink.error(Code::HostKindMixed, place, message, "make two hosts of it, each with a name of its own");
            None
        }
    }
}

fn title(section: &HostSection) -> String {
    section.name.as_ref().map_or_else(|| "this host".into(), |name| format!("the host {:?}", name.value))
}

fn physical(section: &HostSection, sink: &Sink<'_>) -> Option<PhysicalHost> {
    let underlay = section.underlay.as_ref().and_then(|text| address(text, sink));
    let libvirt = section.libvirt.as_ref().map(|text| libvirt(text, sink));
    let cpus = section.cpus.as_ref().and_then(|number| cpus(number, sink));
    let memory_mib = section.memory.as_ref().and_then(|text| memory(text, sink));
    let libvirt = match libvirt {
        Some(uri) => Some(uri?),
        None => None,
    };
    Some(PhysicalHost { underlay: underlay?, libvirt, cpus: cpus?, memory_mib: memory_mib? })
}

fn cpus(number: &Placed<i64>, sink: &Sink<'_>) -> Option<u32> {
    if (1..=MOST_CPUS).contains(&number.value) {
        return u32::try_from(number.value).ok();
    }
    let message = format!("{} processors are out of range: 1 to {MOST_CPUS}", number.value);
    sink.error(Code::CpusOutOfRange, &number.span, message, "say how many of the host's processors workers may use");
    None
}

fn memory(text: &Placed<String>, sink: &Sink<'_>) -> Option<u64> {
    let Some(mib) = parse_mib(&text.value) else {
        let message = format!("{:?} is no amount of memory", text.value);
        sink.error(
            Code::MemoryIllFormed,
            &text.span,
            message,
            "write a number and a unit, for example \"8 GiB\" or \"512 MiB\"",
        );
        return None;
    };
    if mib < LEAST_MIB {
        let message = format!("{:?} is less than any worker needs", text.value);
        sink.error(Code::MemoryTooSmall, &text.span, message, format!("give it at least {LEAST_MIB} MiB"));
        return None;
    }
    Some(mib)
}

/// `driver[+transport]://[user@][host][:port]/path` (libvirt.org/uri.html).
fn libvirt(text: &Placed<String>, sink: &Sink<'_>) -> Option<String> {
    let known = || {
        let (scheme, rest) = text.value.split_once("://")?;
        let (driver, transport) = scheme.split_once('+').unwrap_or((scheme, "unix"));
        let (authority, path) = rest.split_once('/')?;
        let remote = matches!(transport, "ssh" | "tls" | "tcp" | "libssh" | "libssh2");
        let host = authority.rsplit('@').next().unwrap_or_default();
        let reachable = if remote { !host.is_empty() } else { transport == "unix" };
        let plain = !text.value.contains(char::is_whitespace);
        (matches!(driver, "qemu" | "xen" | "test") && reachable && plain && !path.is_empty()).then_some(())
    };
    if known().is_none() {
        let message = format!("{:?} is no libvirt URI of a form that we know", text.value);
        let hint = "write \"qemu:///system\", \"qemu+ssh://root@HOST/system\" or \"xen:///system\"";
        sink.error(Code::LibvirtUri, &text.span, message, hint);
        return None;
    }
    Some(text.value.clone())
}

fn cloud(table: &CloudTable, sink: &Sink<'_>) -> Option<Cloud> {
    let region = table.region.as_ref().and_then(|text| region(text, sink));
    let instance_type = table.instance_type.as_ref().and_then(|text| instance_type(text, sink));
    let workers = table.workers.as_ref().and_then(|number| cloud_workers(number, sink));
    Some(Cloud { region: region?, instance_type: instance_type?, workers: workers? })
}

fn cloud_workers(number: &Placed<i64>, sink: &Sink<'_>) -> Option<u32> {
    if (1..=MOST_CLOUD_WORKERS).contains(&number.value) {
        return u32::try_from(number.value).ok();
    }
    let message = format!("a cloud of {} workers is out of range: 1 to {MOST_CLOUD_WORKERS}", number.value);
    sink.error(
        Code::CloudWorkersOutOfRange,
        &number.span,
        message,
        "it is the size of the host: at most so many run at once",
    );
    None
}

/// Regions are words with hyphens; EC2-compatible clouds call theirs as they like.
fn region(text: &Placed<String>, sink: &Sink<'_>) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if !(1..=32).contains(&text.value.len()) || !text.value.chars().all(plain) {
        let message = format!("{:?} is no region", text.value);
        sink.error(Code::RegionIllFormed, &text.span, message, "write it as EC2 does, for example \"us-east-1\"");
        return None;
    }
    let region = text.value.trim_end_matches(|c: char| c.is_ascii_lowercase());
    if text.value.len() == region.len() + 1 && region.ends_with(|c: char| c.is_ascii_digit()) && region.contains('-') {
        let message = format!("{:?} is an availability zone, not a region", text.value);
        sink.error(Code::RegionIsZone, &text.span, message, format!("the region is {region:?}"));
        return None;
    }
    Some(text.value.clone())
}

fn instance_type(text: &Placed<String>, sink: &Sink<'_>) -> Option<String> {
    let word =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if text.value.split_once('.').is_some_and(|(family, size)| word(family) && word(size)) {
        return Some(text.value.clone());
    }
    let message = format!("{:?} is no instance type", text.value);
    sink.error(
        Code::InstanceTypeIllFormed,
        &text.span,
        message,
        "write FAMILY.SIZE, for example \"m1.small\" or \"c7i.2xlarge\"",
    );
    None
}
