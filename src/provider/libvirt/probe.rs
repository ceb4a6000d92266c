//! Whether hardware virtualisation works on a host, found out by starting a guest: a device that opens is no proof.

use std::path::Path;
use std::time::{Duration, Instant};

use virt::domain::Domain;
use virt::error::Error;
use virt::storage_pool::StoragePool;

use super::domain::processor;
use super::error::failure;
use super::pool::{self, Pool};
use super::xml::Element;
use super::{Kind, disks, tags};
use crate::provider::{Accelerated, ProviderError};

/// With hardware a guest speaks within a fraction of a second. Where it takes longer than this, emulation is quicker.
const PATIENCE: Duration = Duration::from_secs(4);
/// Between two looks at the guest's console.
const PAUSE: Duration = Duration::from_millis(50);

/// The probe's volumes; no worker's name begins like this.
pub(super) const PREFIX: &str = "probe.";
const DISK: &str = "probe.disk";
const CONSOLE: &str = "probe.console";
/// Firmware reads no disk that is smaller than a cylinder.
const DISK_BYTES: u64 = 1 << 20;

/// What the guest says.
const WORDS: &[u8] = b"landbridge: a guest runs";

/// The guest: a boot sector that goes into 64-bit mode with paging, as every kernel does, and then speaks on the first serial port.
#[rustfmt::skip]
const GUEST: &[u8] = &[
    0xfa, 0xfc,                                 // cli; cld
    0x31, 0xc0,                                 // xor ax, ax
    0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0,         // mov ds, ax; mov es, ax; mov ss, ax
    0xbc, 0x00, 0x7c,                           // mov sp, 0x7c00
    // Three page tables at 0x1000, which map the first 2 MiB as they are.
    0xbf, 0x00, 0x10,                           // mov di, 0x1000
    0xb9, 0x00, 0x18, 0xf3, 0xab,               // mov cx, 0x1800; rep stosw
    0xc7, 0x06, 0x00, 0x10, 0x03, 0x20,         // mov word [0x1000], 0x2003
    0xc7, 0x06, 0x00, 0x20, 0x03, 0x30,         // mov word [0x2000], 0x3003
    0xc7, 0x06, 0x00, 0x30, 0x83, 0x00,         // mov word [0x3000], 0x0083
    0x66, 0xb8, 0x00, 0x10, 0x00, 0x00,         // mov eax, 0x1000
    0x0f, 0x22, 0xd8,                           // mov cr3, eax
    0x0f, 0x20, 0xe0,                           // mov eax, cr4
    0x66, 0x83, 0xc8, 0x20,                     // or eax, PAE
    0x0f, 0x22, 0xe0,                           // mov cr4, eax
    0x66, 0xb9, 0x80, 0x00, 0x00, 0xc0,         // mov ecx, EFER
    0x0f, 0x32,                                 // rdmsr
    0x66, 0x0d, 0x00, 0x01, 0x00, 0x00,         // or eax, LME
    0x0f, 0x30,                                 // wrmsr
    0x0f, 0x01, 0x16, 0x98, 0x7c,               // lgdt [0x7c98]
    0x0f, 0x20, 0xc0,                           // mov eax, cr0
    0x66, 0x0d, 0x01, 0x00, 0x00, 0x80,         // or eax, PE | PG
    0x0f, 0x22, 0xc0,                           // mov cr0, eax
    0xea, 0x60, 0x7c, 0x08, 0x00,               // jmp 8:0x7c60
    // 64-bit from here.
    0xb8, 0x10, 0x00, 0x00, 0x00,               // mov eax, 16
    0x8e, 0xd8, 0x8e, 0xd0,                     // mov ds, eax; mov ss, eax
    0xbe, 0xa0, 0x7c, 0x00, 0x00,               // mov esi, 0x7ca0
    0xba, 0xf8, 0x03, 0x00, 0x00,               // mov edx, 0x3f8
    0xac,                                       // next: lodsb
    0x84, 0xc0, 0x74, 0x03,                     // test al, al; jz halt
    0xee, 0xeb, 0xf8,                           // out dx, al; jmp next
    0xf4, 0xeb, 0xfd,                           // halt: hlt; jmp halt
    0x90, 0x90,
    // At 0x7c80, the segments: none, code, data.
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x9a, 0x20, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x92, 0x00, 0x00,
    // At 0x7c98, their table; at 0x7ca0, the words.
    0x17, 0x00, 0x80, 0x7c, 0x00, 0x00, 0x00, 0x00,
];

/// The guest's boot sector.
pub(super) fn boot_sector() -> Vec<u8> {
    let mut sector = [GUEST, WORDS, b"\r\n"].concat();
    sector.resize(510, 0);
    sector.extend([0x55, 0xaa]);
    sector
}

/// Starts the guest under KVM and listens to it.
pub(super) fn kvm(pool: &Pool<'_>) -> Result<Accelerated, ProviderError> {
    let heard = with_guest_disk(pool, |storage| listen(pool, storage, Kind::Kvm, PATIENCE))?;
    Ok(match heard {
        Ok(true) => Accelerated::Proved,
        Ok(false) => Accelerated::Emulated(format!(
            "the host has KVM, but a small guest under it said nothing within {} s",
            PATIENCE.as_secs()
        )),
        Err(error) => Accelerated::Emulated(format!("the host has KVM, but no guest starts under it: {error}")),
    })
}

/// Does something while the guest's disk is there.
pub(super) fn with_guest_disk<T>(pool: &Pool<'_>, f: impl FnOnce(&StoragePool) -> T) -> Result<T, ProviderError> {
    clear(pool)?;
    let storage = pool.ensure()?;
    pool::make(&storage, DISK, &disks::volume(DISK, Some(DISK_BYTES), None), &boot_sector())?;
    let done = f(&storage);
    clear(pool)?;
    Ok(done)
}

/// Whether the guest says its words in time; the error is in libvirt's.
pub(super) fn listen(pool: &Pool<'_>, storage: &StoragePool, kind: Kind, patience: Duration) -> Result<bool, String> {
    let words = |error: Error| error.message().to_owned();
    let guest = guest(pool.name, pool.directory, kind).to_string();
    let domain = Domain::create_xml(pool.connect, &guest, 0).map_err(words)?;
    let until = Instant::now() + patience;
    let mut heard = false;
    while !heard && Instant::now() < until {
        std::thread::sleep(PAUSE);
        storage.refresh(0).map_err(words)?;
        let said = pool::tail(storage, CONSOLE, 4096).map_err(|error| error.seen)?.unwrap_or_default();
        heard = said.windows(WORDS.len()).any(|window| window == WORDS);
    }
    domain.destroy().map_err(words)?;
    Ok(heard)
}

/// Ends a probe, also one that a crash has left.
fn clear(pool: &Pool<'_>) -> Result<(), ProviderError> {
    let name = domain_name(pool.name);
    if let Ok(domain) = Domain::lookup_by_uuid_string(pool.connect, &tags::uuid(&name)) {
        domain.destroy().map_err(|error| failure("ending the probe", &name, &error))?;
    }
    pool.delete(|volume| volume.starts_with(PREFIX))
}

fn domain_name(pool: &str) -> String {
    format!("{pool}-probe")
}

/// The guest as a domain that is gone when it ends, with the same processor as every machine: some hosts refuse only that.
pub(super) fn guest(pool: &str, directory: &Path, kind: Kind) -> Element {
    let name = domain_name(pool);
    let form = Element::new("type").attribute("arch", "x86_64").attribute("machine", "pc").text("hvm");
    let file = |name: &str| directory.join(name).display().to_string();
    let disk = Element::new("disk")
        .attribute("type", "file")
        .attribute("device", "disk")
        .child(Element::new("driver").attribute("name", "qemu").attribute("type", "raw"))
        .child(Element::new("source").attribute("file", file(DISK)))
        .child(Element::new("target").attribute("dev", "vda").attribute("bus", "virtio"));
    let serial = Element::new("serial")
        .attribute("type", "file")
        .child(Element::new("source").attribute("path", file(CONSOLE)))
        .child(Element::new("target").attribute("port", 0));
    let memballoon = Element::new("memballoon").attribute("model", "none");
    Element::new("domain")
        .attribute("type", kind.word())
        .child(Element::new("name").text(&name))
        .child(Element::new("uuid").text(tags::uuid(&name)))
        .child(Element::new("memory").attribute("unit", "MiB").text(32))
        .child(Element::new("os").child(form).child(Element::new("boot").attribute("dev", "hd")))
        .children(processor(kind))
        .child(Element::new("devices").child(disk).child(serial).child(memballoon))
}
