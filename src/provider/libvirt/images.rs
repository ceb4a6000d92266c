//! A base image's format, where the template doesn't say it: as the host's libvirt sees the file.

use std::path::Path;

use serde::Deserialize;
use virt::connect::Connect;
use virt::error::{Error, ErrorNumber};
use virt::storage_pool::StoragePool;
use virt::storage_vol::StorageVol;

use super::error::{failure, refused};
use super::xml::Element;
use crate::provider::ProviderError;
use crate::template::DiskFormat;

#[derive(Deserialize)]
struct Volume {
    target: Target,
}

#[derive(Deserialize)]
struct Target {
    format: Option<Format>,
}

#[derive(Deserialize)]
struct Format {
    #[serde(rename = "@type")]
    kind: String,
}

/// Looks at the file. A directory that is no pool of the host's is one for as long as that takes.
pub(super) fn format_of(connect: &Connect, image: &Path) -> Result<DiskFormat, ProviderError> {
    let object = image.display().to_string();
    let failed = |error: Error| failure("looking at the image", &object, &error);
    if let Ok(volume) = StorageVol::lookup_by_path(connect, &object) {
        return read(&volume, &object);
    }
    let directory = image.parent().unwrap_or(Path::new("/")).display().to_string();
    let path = Element::new("path").text(&directory);
    let name = format!("landbridge-looks-{}", super::tags::uuid(&directory));
    let xml = Element::new("pool")
        .attribute("type", "dir")
        .child(Element::new("name").text(name))
        .child(Element::new("target").child(path));
    let (pool, borrowed) = match StoragePool::create_xml(connect, &xml.to_string(), 0) {
        Ok(pool) => (pool, true),
        // Somebody's pool already, which doesn't know of this file yet.
        Err(error) => match StoragePool::lookup_by_target_path(connect, &directory) {
            Ok(pool) => (pool, false),
            Err(_) => return Err(failed(error)),
        },
    };
    let seen = if borrowed { Ok(0) } else { pool.refresh(0) };
    let found = seen.and_then(|_| StorageVol::lookup_by_path(connect, &object));
    let format = match found {
        Ok(volume) => read(&volume, &object),
        Err(error) if error.code() == ErrorNumber::NoStorageVolume => {
            let remedy = "put the image there, or name another one in the template";
            Err(refused("looking at the image", &object, "the host has no such file".into(), remedy))
        }
        Err(error) => Err(failed(error)),
    };
    if borrowed {
        // It was never defined: this only makes libvirt forget it.
        pool.destroy().map_err(failed)?;
    }
    format
}

fn read(volume: &StorageVol, object: &str) -> Result<DiskFormat, ProviderError> {
    let xml = volume.get_xml_desc(0).map_err(|error| failure("looking at the image", object, &error))?;
    let read: Option<Volume> = quick_xml::de::from_str(&xml).ok();
    match read.and_then(|volume| volume.target.format).map(|format| format.kind).as_deref() {
        Some("qcow2") => Ok(DiskFormat::Qcow2),
        Some("raw") => Ok(DiskFormat::Raw),
        other => Err(refused(
            "looking at the image",
            object,
            format!("its format is {}", other.unwrap_or("unknown")),
            "convert it: qemu-img convert -O qcow2",
        )),
    }
}
