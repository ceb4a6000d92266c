//! Export numbers that stay with their path.
//!
//! NFS-Ganesha writes the export's number into every file handle, and clients keep handles over a restart of the server: a
//! path whose number changed would make every mount of it stale. So the number comes from the path, not from its place in a list.

use std::collections::BTreeMap;
use std::path::Path;

/// The least and the most: Ganesha keeps 0 for the pseudo file system and has 16 bits.
const IDS: std::ops::RangeInclusive<u16> = 1..=u16::MAX;

/// A number for every path, the same whatever the order of `paths`. Two paths with one hash (1 in 65,535) get neighbours.
pub(super) fn export_ids<'a>(paths: impl IntoIterator<Item = &'a Path>) -> BTreeMap<u16, &'a Path> {
    let mut sorted: Vec<&Path> = paths.into_iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut ids = BTreeMap::new();
    for path in sorted {
        let mut id = hash(path);
        while ids.contains_key(&id) {
            id = if id == *IDS.end() { *IDS.start() } else { id + 1 };
        }
        ids.insert(id, path);
    }
    ids
}

/// FNV-1a, folded into the range.
fn hash(path: &Path) -> u16 {
    let bytes = path.as_os_str().as_encoded_bytes();
    let hash = bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    u16::try_from(hash % u32::from(u16::MAX)).expect("less than 65535") + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn homes_number_never_changes() {
        assert_eq!(export_ids([Path::new("/home")]).into_keys().collect::<Vec<_>>(), [18857]);
    }

    proptest! {
        #[test]
        fn numbers_are_unique_and_do_not_depend_on_the_order(mut names in prop::collection::btree_set("[a-z]{1,6}", 1..40)
            .prop_map(|names| names.into_iter().collect::<Vec<_>>()).prop_shuffle())
        {
            let ids: Vec<(u16, String)> = export_ids(names.iter().map(Path::new)).into_iter()
                .map(|(id, path)| (id, path.display().to_string())).collect();
            prop_assert_eq!(ids.len(), names.len());
            names.reverse();
            let again: Vec<(u16, String)> = export_ids(names.iter().map(Path::new)).into_iter()
                .map(|(id, path)| (id, path.display().to_string())).collect();
            prop_assert_eq!(ids, again);
        }
    }
}
