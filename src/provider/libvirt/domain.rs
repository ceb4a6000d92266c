//! A machine as libvirt's domain XML has it. Pure.
//!
//! <https://libvirt.org/formatdomain.html>

use std::path::{Path, PathBuf};

use super::disks::{self, Content, Drive};
use super::xml::Element;
use super::{Kind, tags};
use crate::naming::Mac;
use crate::provider::Launch;
use crate::template::{DiskFormat, Nic, Os, WorkerTemplate};

/// A machine's definition in parts.
pub(super) struct Definition<'a> {
    pub(super) launch: &'a Launch,
    pub(super) template: &'a WorkerTemplate,
    pub(super) kind: Kind,
    /// Where our volumes lie.
    pub(super) pool: &'a Path,
    /// With every image's format known.
    pub(super) drives: &'a [Drive],
    pub(super) bridge: &'a str,
    pub(super) mac: Mac,
}

/// Where a machine's console is written to.
pub(super) fn console(pool: &Path, launch: &Launch) -> PathBuf {
    pool.join(tags::volume(launch, "console"))
}

/// The domain.
pub(super) fn domain(definition: &Definition<'_>) -> Element {
    let Definition { launch, template, kind, .. } = definition;
    let number = |name, value: u64| Element::new(name).text(value);
    let name = launch.name();
    Element::new("domain")
        .attribute("type", kind.word())
        .child(Element::new("name").text(&name))
        .child(Element::new("uuid").text(tags::uuid(&name)))
        .child(Element::new("metadata").child(tags::tag(launch)))
        .child(number("memory", template.memory_mib).attribute("unit", "MiB"))
        .child(number("vcpu", template.vcpus().into()))
        .children(loader(template, *kind))
        .child(os(template, *kind))
        .children(processor(*kind))
        .child(Element::new("clock").attribute("offset", "utc"))
        .child(Element::new("on_poweroff").text("destroy"))
        .child(Element::new("on_reboot").text("restart"))
        .child(Element::new("on_crash").text("destroy"))
        .child(devices(definition))
}

/// A para-virtual machine without a kernel of the host's starts with the one on its own disk.
fn loader(template: &WorkerTemplate, kind: Kind) -> Option<Element> {
    let own_kernel = template.os.as_ref().is_none_or(|os| os.kernel.is_none());
    (kind == Kind::Xen && own_kernel).then(|| Element::new("bootloader").text("pygrub"))
}

fn os(template: &WorkerTemplate, kind: Kind) -> Element {
    let default = Os::default();
    let os = template.os.as_ref().unwrap_or(&default);
    let arch = os.arch.as_deref().unwrap_or("x86_64");
    let (machine, form) = if kind == Kind::Xen { ("xenpv", "linux") } else { ("pc", "hvm") };
    let form = Element::new("type").attribute("arch", arch).attribute("machine", machine).text(form);
    let element = Element::new("os").child(form);
    let Some(kernel) = &os.kernel else {
        return if kind == Kind::Xen { element } else { element.child(Element::new("boot").attribute("dev", "hd")) };
    };
    let root = os.root.iter().map(|root| format!("root=/dev/{} ro", root.trim_start_matches("/dev/")));
    let terminal = if kind == Kind::Xen { "console=hvc0" } else { "console=ttyS0" };
    let words: Vec<String> = root.chain([terminal.to_owned()]).chain(os.kernel_cmd.clone()).collect();
    element
        .child(Element::new("kernel").text(kernel.display()))
        .children(os.initrd.iter().map(|initrd| Element::new("initrd").text(initrd.display())))
        .child(Element::new("cmdline").text(words.join(" ")))
}

/// What only a machine with firmware has.
pub(super) fn processor(kind: Kind) -> Vec<Element> {
    let mode = match kind {
        Kind::Xen => return Vec::new(),
        Kind::Kvm => "host-passthrough",
        Kind::Emulated => "maximum",
    };
    let features = Element::new("features").child(Element::new("acpi")).child(Element::new("apic"));
    vec![features, Element::new("cpu").attribute("mode", mode)]
}

fn devices(definition: &Definition<'_>) -> Element {
    let Definition { launch, template, kind, pool, drives, bridge, mac } = definition;
    let first = card(bridge, template.nics.first(), *kind).child(Element::new("mac").attribute("address", mac));
    let more = template.nics.iter().skip(1).filter_map(|nic| Some(card(nic.bridge.as_deref()?, Some(nic), *kind)));
    let scsi = drives.iter().any(|drive| drive.bus == "scsi").then(|| {
        Element::new("controller").attribute("type", "scsi").attribute("index", 0).attribute("model", "virtio-scsi")
    });
    Element::new("devices")
        .children(drives.iter().map(|drive| disk(drive, pool, *kind)))
        .children(scsi)
        .child(first)
        .children(more)
        .child(terminal(&console(pool, launch), *kind))
        .children(comforts(*kind))
}

fn disk(drive: &Drive, pool: &Path, kind: Kind) -> Element {
    let (path, format) = match &drive.content {
        Content::Image { path, format } => (path.clone(), disks::word(format.unwrap_or(DiskFormat::Raw))),
        Content::Overlay { volume, .. } => (pool.join(volume), "qcow2"),
        Content::New { volume, .. } => (pool.join(volume), "raw"),
    };
    // What is in it is thrown away with the machine: nothing need wait for the host's own disk.
    let driver = Element::new("driver").attribute("name", "qemu").attribute("type", format);
    let driver = if kind == Kind::Xen { driver } else { driver.attribute("cache", "unsafe") };
    Element::new("disk")
        .attribute("type", "file")
        .attribute("device", "disk")
        .child(driver)
        .child(Element::new("source").attribute("file", path.display()))
        .child(Element::new("target").attribute("dev", &drive.target).attribute("bus", drive.bus))
        .children(drive.read_only.then(|| Element::new("readonly")))
}

fn card(bridge: &str, nic: Option<&Nic>, kind: Kind) -> Element {
    let model = nic.and_then(|nic| nic.model.as_deref()).or((kind != Kind::Xen).then_some("virtio"));
    Element::new("interface")
        .attribute("type", "bridge")
        .child(Element::new("source").attribute("bridge", bridge))
        .children(model.map(|model| Element::new("model").attribute("type", model)))
}

fn terminal(file: &Path, kind: Kind) -> Element {
    let source = Element::new("source").attribute("path", file.display());
    match kind {
        Kind::Xen => {
            let target = Element::new("target").attribute("type", "xen").attribute("port", 0);
            Element::new("console").attribute("type", "file").child(source).child(target)
        }
        Kind::Kvm | Kind::Emulated => {
            let target = Element::new("target").attribute("port", 0);
            Element::new("serial").attribute("type", "file").child(source).child(target)
        }
    }
}

/// Random numbers, without which an emulated machine waits for its first key; and no balloon, which nobody would blow up.
fn comforts(kind: Kind) -> Vec<Element> {
    if kind == Kind::Xen {
        return Vec::new();
    }
    let source = Element::new("backend").attribute("model", "random").text("/dev/urandom");
    let random = Element::new("rng").attribute("model", "virtio").child(source);
    vec![Element::new("memballoon").attribute("model", "none"), random]
}
