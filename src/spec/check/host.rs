//! `[[host]]`: a physical host or a cloud.

use std::path::{Path, PathBuf};

use super::addresses::address;
use super::cloud::cloud;
use super::names::node_name;
use crate::reading::{Placed, Sink, Told, optional, parse_mib};
use crate::spec::document::HostSection;
use crate::spec::{Code, Host, HostKind, Hypervisor, PhysicalHost};

/// Less than this boots no worker.
const LEAST_MIB: u64 = 64;
/// More processors than any machine has (the kernel's own limit is 8192).
const MOST_CPUS: i64 = 4096;

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
    let hypervisor = hypervisor(section, sink);
    let cpus = section.cpus.as_ref().and_then(|number| cpus(number, sink));
    let memory_mib = section.memory.as_ref().and_then(|text| memory(text, sink));
    Some(PhysicalHost { underlay: underlay?, hypervisor: hypervisor.ok()?, cpus: cpus?, memory_mib: memory_mib? })
}

/// What makes machines there, when anything does.
fn hypervisor(section: &HostSection, sink: &Sink<'_>) -> Result<Option<Hypervisor>, Told> {
    let libvirt = optional(section.libvirt.as_ref(), |text| libvirt(text, sink).map(Hypervisor::Libvirt));
    let driver = optional(section.driver.as_ref(), |text| driver(text, sink).map(Hypervisor::Driver));
    if let (Some(uri), Some(path)) = (&section.libvirt, &section.driver) {
        let message = format!("{} has two that make its machines: libvirt and a driver", title(section));
        let hint = "keep `libvirt`, or `driver` where libvirt doesn't know the hypervisor";
        sink.clash(Code::HypervisorTwice, &path.span, (&uri.span, "the other one"), message, hint);
        return Err(Told);
    }
    Ok(libvirt?.or(driver?))
}

/// Its existence is not looked at: the file may be checked on another machine.
fn driver(text: &Placed<String>, sink: &Sink<'_>) -> Option<PathBuf> {
    let path = Path::new(&text.value);
    if path.is_absolute() && path.file_name().is_some() {
        return Some(path.to_owned());
    }
    let message = format!("{:?} is no absolute path of a program", text.value);
    let hint =
        "the daemon runs the driver whatever its working directory: write it like \"/usr/local/lib/landbridge/driver\"";
    sink.error(Code::DriverRelative, &text.span, message, hint);
    None
}

pub(super) fn cpus(number: &Placed<i64>, sink: &Sink<'_>) -> Option<u32> {
    if (1..=MOST_CPUS).contains(&number.value) {
        return u32::try_from(number.value).ok();
    }
    let message = format!("{} processors are out of range: 1 to {MOST_CPUS}", number.value);
    sink.error(Code::CpusOutOfRange, &number.span, message, "say how many processors there are for workers");
    None
}

pub(super) fn memory(text: &Placed<String>, sink: &Sink<'_>) -> Option<u64> {
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
