//! `DISK = [ … ]`: images, swap space, empty file systems.

use super::vector::Vector;
use crate::reading::{Code, Placed, Sink, optional};
use crate::template::{Disk, DiskSource, Places, values};

/// One disk. `about` is its place among the template's disks, `DISK[0]`.
pub(super) fn read(mut vector: Vector<'_>, about: &str, places: &mut Places, sink: &Sink<'_>) -> Option<Disk> {
    let source = source(&mut vector, about, sink);
    let target = vector.take("TARGET").filter(|text| !text.value.is_empty());
    let target = optional(target.as_ref(), |text| values::target(text, sink));
    let read_only = vector.boolean("READONLY");
    // Old templates name the format of a new disk, newer ones the hypervisor's driver.
    let format = vector.take_if("DRIVER", values::format).or_else(|| vector.take_if("FORMAT", values::format));
    let other = vector.rest(about, places);
    Some(Disk { source: source?, target: target.ok()?, read_only: read_only?, format, other })
}

fn source(vector: &mut Vector<'_>, about: &str, sink: &Sink<'_>) -> Option<DiskSource> {
    let named = image(vector, sink);
    let kind = vector.take_if("TYPE", |kind| {
        let kind = kind.to_ascii_lowercase();
        let plain = matches!(kind.as_str(), "swap" | "fs" | "disk" | "");
        // An image's other types are kept: a floppy isn't a disk.
        (plain && (named.is_none() || kind != "fs" && kind != "swap")).then_some(kind)
    });
    if let Some(named) = named {
        return Some(DiskSource::Image(named.value.into()));
    }
    let size = vector.take("SIZE");
    if kind.is_none() && size.is_none() || matches!(kind.as_deref(), Some("disk" | "")) {
        let hint = "say SOURCE = \"/path/of/an/image\", or TYPE = swap or fs with its SIZE in MiB";
        sink.error(Code::DiskSourceNone, &vector.span, format!("nothing is on the disk {about}"), hint);
        return None;
    }
    let Some(size) = size else {
        let message = format!("the new disk {about} has no `SIZE`");
        sink.error(Code::MissingKey, &vector.span, message, "add SIZE = 1024, in MiB");
        return None;
    };
    let mib = values::mib_text(&size, sink)?;
    Some(if kind.as_deref() == Some("swap") { DiskSource::Swap(mib) } else { DiskSource::Empty(mib) })
}

/// The image that is named, in one of three ways.
fn image(vector: &mut Vector<'_>, sink: &Sink<'_>) -> Option<Placed<String>> {
    let found =
        ["SOURCE", "IMAGE", "IMAGE_ID"].map(|key| (key, vector.take(key).filter(|text| !text.value.is_empty())));
    let mut said = found.into_iter().filter_map(|(key, text)| Some((key, text?)));
    let (key, text) = said.next()?;
    if let Some((second, other)) = said.next() {
        let message = format!("the disk has `{key}` and `{second}`");
        sink.error(Code::DiskSourceSeveral, &other.span, message, "keep one: a disk has one source");
    }
    if key == "IMAGE_ID" {
        let message = format!("there is no image store here that knows the number {}", text.value);
        let hint = format!("the disk is the file {:?} in the host's image directory; SOURCE names another", text.value);
        sink.warning(Code::ImageId, &text.span, message, hint);
    }
    Some(text)
}
