//! The seed image: a small disk from which cloud-init (its NoCloud source) and `landbridge-node` read a machine's documents.

use std::io::{Cursor, Write as _};

use fatfs::{FatType, FileSystem, FormatVolumeOptions, FsOptions, format_volume};
use serde::{Deserialize, Serialize};

/// The label that cloud-init looks for, as FAT has it: 11 bytes.
const LABEL: [u8; 11] = *b"CIDATA     ";

/// Ample for what may be in it, and the least that is no oddity to any reader of FAT.
const SIZE: usize = 1024 * 1024;

/// What a machine is told at its first start, as cloud-init's NoCloud source has it. Holds the join token: secret for minutes.
#[derive(Clone, Serialize, Deserialize)]
pub struct Seed {
    /// `user-data`: at most 16,384 bytes.
    pub user_data: String,
    /// `meta-data`.
    pub meta_data: String,
    /// `network-config`, where the machine can't ask for one.
    pub network_config: Option<String>,
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seed").field("meta_data", &self.meta_data).finish_non_exhaustive()
    }
}

/// The disk's bytes: a FAT file system without partitions, always the same for the same seed (fatfs without `chrono` dates every file 1980).
pub fn image(seed: &Seed) -> Vec<u8> {
    write(seed).expect("a disk in memory takes a few small files")
}

fn write(seed: &Seed) -> std::io::Result<Vec<u8>> {
    let mut disk = Cursor::new(vec![0; SIZE]);
    let options = FormatVolumeOptions::new().fat_type(FatType::Fat12).volume_label(LABEL).volume_id(0x4c42);
    format_volume(&mut disk, options)?;
    let volume = FileSystem::new(&mut disk, FsOptions::new())?;
    let network = seed.network_config.as_ref().map(|text| ("network-config", text));
    for (name, text) in [("user-data", &seed.user_data), ("meta-data", &seed.meta_data)].into_iter().chain(network) {
        volume.root_dir().create_file(name)?.write_all(text.as_bytes())?;
    }
    volume.unmount()?;
    Ok(disk.into_inner())
}

#[cfg(test)]
mod tests;
