//! The directory of admitted workers (`client-config-dir` with `ccd-exclusive`): a file for each, with its address.
//!
//! Every server process reads it at each connection, so a change needs neither a restart nor a signal.

use std::net::Ipv4Addr;
use std::path::Path;

use landbridge_pki::NodeName;

use super::files::{FileError, remove, replace};

/// Lets the worker `name` in, at `address` with the vLAN's `mask`; says whether anything had to change. The file appears
/// whole: OpenVPN never reads half of it.
pub fn admit(dir: &Path, name: &NodeName, address: Ipv4Addr, mask: Ipv4Addr) -> Result<bool, FileError> {
    replace(&dir.join(name.as_str()), format!("ifconfig-push {address} {mask}\n").as_bytes(), 0o600)
}

/// Lets the worker `name` in no more; says whether it was let in before. A session that it has goes on: see
/// [`super::cut()`].
pub fn dismiss(dir: &Path, name: &NodeName) -> Result<bool, FileError> {
    remove(&dir.join(name.as_str()))
}

/// Every admitted worker, in order, for the audit.
pub fn admitted(dir: &Path) -> Result<Vec<NodeName>, FileError> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(FileError::of("listing", dir))? {
        let entry = entry.map_err(FileError::of("listing", dir))?;
        names.extend(entry.file_name().to_str().and_then(|name| NodeName::new(name).ok()));
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 1, 5);
    const MASK: Ipv4Addr = Ipv4Addr::new(255, 255, 0, 0);

    fn name(text: &str) -> NodeName {
        NodeName::new(text).unwrap()
    }

    #[test]
    fn an_admitted_worker_has_its_address_in_a_file_of_its_name() {
        let dir = tempfile::tempdir().unwrap();
        assert!(admit(dir.path(), &name("w1"), ADDRESS, MASK).unwrap());
        let text = std::fs::read_to_string(dir.path().join("w1")).unwrap();
        assert_eq!(text, "ifconfig-push 10.77.1.5 255.255.0.0\n");
    }

    #[test]
    fn twice_is_once() {
        let dir = tempfile::tempdir().unwrap();
        assert!(admit(dir.path(), &name("w1"), ADDRESS, MASK).unwrap());
        assert!(!admit(dir.path(), &name("w1"), ADDRESS, MASK).unwrap());
        assert!(dismiss(dir.path(), &name("w1")).unwrap());
        assert!(!dismiss(dir.path(), &name("w1")).unwrap());
    }

    #[test]
    fn the_list_knows_workers_only_and_no_file_that_is_being_written() {
        let dir = tempfile::tempdir().unwrap();
        for worker in ["w2", "w1"] {
            admit(dir.path(), &name(worker), ADDRESS, MASK).unwrap();
        }
        std::fs::write(dir.path().join(".w3.new"), "").unwrap();
        assert_eq!(admitted(dir.path()).unwrap(), [name("w1"), name("w2")]);
    }
}
