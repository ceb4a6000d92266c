//! A disk labelled CIDATA, as cloud-init's NoCloud source knows it. It is read without being mounted: the kernel of a small machine
//! may not know the file system.

use std::fs::{self, File};
use std::io::{self, Cursor, Read as _};
use std::path::Path;

use fatfs::{FileSystem, FsOptions};

use crate::metadata::LIMIT;

/// Larger disks are no seeds.
const LARGEST: u64 = 64 << 20;

/// Where FAT12 and FAT16 have their label, and where FAT32 has it.
const LABELS: [usize; 2] = [43, 71];

/// The first seed's device, and the user-data on it.
pub(super) fn user_data(blocks: &Path, devices: &Path) -> Option<(String, String)> {
    let mut names: Vec<_> = fs::read_dir(blocks).ok()?.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
    names.sort();
    names.into_iter().find_map(|name| {
        let device = devices.join(name);
        read(&device).ok().flatten().map(|text| (device.display().to_string(), text))
    })
}

/// The user-data on a disk, if that is a seed.
fn read(device: &Path) -> io::Result<Option<String>> {
    let mut file = File::open(device)?;
    let mut disk = vec![0; 512];
    file.read_exact(&mut disk)?;
    if !LABELS.iter().any(|at| disk[*at..*at + 11].eq_ignore_ascii_case(b"CIDATA     ")) {
        return Ok(None);
    }
    file.take(LARGEST).read_to_end(&mut disk)?;
    let volume = FileSystem::new(Cursor::new(disk), FsOptions::new())?;
    let mut text = Vec::new();
    volume.root_dir().open_file("user-data")?.take(LIMIT as u64).read_to_end(&mut text)?;
    Ok(Some(String::from_utf8_lossy(&text).into_owned()))
}
