//! Which disks a machine gets: an overlay for each image, new disks, and the seed. Pure.

use std::path::PathBuf;

use super::Kind;
use super::xml::Element;
use crate::provider::Launch;
use crate::template::{Disk, DiskFormat, DiskSource};

use super::tags;

/// A disk of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Drive {
    /// The device's name inside.
    pub(super) target: String,
    /// How it is connected.
    pub(super) bus: &'static str,
    /// What is on it.
    pub(super) content: Content,
    /// Whether the machine may only read it.
    pub(super) read_only: bool,
}

/// What is on a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A file of the host, which the machine only reads.
    Image {
        /// Where it lies.
        path: PathBuf,
        /// `None`: to be found out.
        format: Option<DiskFormat>,
    },
    /// A volume over such a file.
    Overlay {
        /// The volume.
        volume: String,
        /// Where the file lies.
        base: PathBuf,
        /// `None`: to be found out.
        format: Option<DiskFormat>,
    },
    /// A new volume.
    New {
        /// The volume.
        volume: String,
        /// Its size in bytes.
        bytes: u64,
        /// What stands at its beginning.
        head: Head,
    },
}

/// What stands at a new volume's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// Zeros.
    Nothing,
    /// A swap space's header.
    Swap,
    /// The seed.
    Seed,
}

/// A seed image's size in bytes.
pub(super) const SEED_BYTES: u64 = 1 << 20;

/// The disks of a machine, the seed last. A relative path is one in `images`.
pub(super) fn drives(launch: &Launch, disks: &[Disk], kind: Kind, images: &std::path::Path) -> Vec<Drive> {
    let mut taken: Vec<String> = disks.iter().filter_map(|disk| disk.target.clone()).collect();
    let mut drives: Vec<Drive> = Vec::new();
    for (n, disk) in disks.iter().enumerate() {
        let target = disk.target.clone().unwrap_or_else(|| free(&mut taken, kind));
        let content = content(launch, n, disk, images);
        drives.push(Drive { bus: bus(&target, kind), target, content, read_only: disk.read_only });
    }
    let volume = tags::volume(launch, "seed");
    let target = free(&mut taken, kind);
    let content = Content::New { volume, bytes: SEED_BYTES, head: Head::Seed };
    drives.push(Drive { bus: bus(&target, kind), target, content, read_only: true });
    drives
}

fn content(launch: &Launch, n: usize, disk: &Disk, images: &std::path::Path) -> Content {
    let volume = tags::volume(launch, &format!("disk{n}"));
    let new = |mib: u64, head| Content::New { volume: volume.clone(), bytes: mib << 20, head };
    match &disk.source {
        DiskSource::Image(path) if disk.read_only => Content::Image { path: images.join(path), format: disk.format },
        DiskSource::Image(path) => Content::Overlay { volume, base: images.join(path), format: disk.format },
        DiskSource::Swap(mib) => new(*mib, Head::Swap),
        DiskSource::Empty(mib) => new(*mib, Head::Nothing),
    }
}

/// The next name that no disk has.
fn free(taken: &mut Vec<String>, kind: Kind) -> String {
    let prefix = if kind == Kind::Xen { "xvd" } else { "vd" };
    let mut names = ('a'..='z').map(|letter| format!("{prefix}{letter}"));
    let name = names.find(|name| !taken.contains(name)).unwrap_or_else(|| format!("{prefix}z"));
    taken.push(name.clone());
    name
}

/// A template's `sda` is to be `/dev/sda` inside: SCSI, in the form that small kernels know.
fn bus(target: &str, kind: Kind) -> &'static str {
    match &target[..target.len().min(2)] {
        _ if kind == Kind::Xen => "xen",
        "sd" => "scsi",
        "hd" => "ide",
        _ => "virtio",
    }
}

/// libvirt's word for a format.
pub(super) fn word(format: DiskFormat) -> &'static str {
    match format {
        DiskFormat::Raw => "raw",
        DiskFormat::Qcow2 => "qcow2",
    }
}

/// A volume to be. Only root reads it: an overlay has what the machine wrote, a seed has its token.
pub(super) fn volume(name: &str, bytes: Option<u64>, base: Option<(&std::path::Path, &str)>) -> Element {
    let format = if base.is_some() { "qcow2" } else { "raw" };
    let size = bytes.map(|bytes| Element::new("capacity").attribute("unit", "bytes").text(bytes));
    let backing = base.map(|(path, format)| {
        Element::new("backingStore")
            .child(Element::new("path").text(path.display()))
            .child(Element::new("format").attribute("type", format))
    });
    let permissions = Element::new("permissions").child(Element::new("mode").text("0600"));
    let target = Element::new("target").child(Element::new("format").attribute("type", format)).child(permissions);
    Element::new("volume").child(Element::new("name").text(name)).children(size).child(target).children(backing)
}

/// A swap space's first page, as mkswap(8) writes it for pages of 4 KiB (linux/swap.h, `union swap_header`).
pub(super) fn swap_header(bytes: u64) -> Vec<u8> {
    const PAGE: usize = 4096;
    let last_page = u32::try_from(bytes / PAGE as u64).unwrap_or(u32::MAX).saturating_sub(1);
    let mut page = vec![0; PAGE];
    page[1024..1028].copy_from_slice(&1_u32.to_le_bytes());
    page[1028..1032].copy_from_slice(&last_page.to_le_bytes());
    page[PAGE - 10..].copy_from_slice(b"SWAPSPACE2");
    page
}
