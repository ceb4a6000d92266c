//! What systemd keeps on this machine by itself.

use std::path::Path;

/// Where units are, systemd.unit(5): the administrator's, and the packages'.
const UNITS: [&str; 3] = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

/// Whether systemd is this machine's init, as `sd_booted(3)` finds it out.
pub fn runs() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// Whether a package has set up this unit for a systemd that runs, and nobody has masked it.
pub(super) fn has(unit: &str) -> bool {
    runs() && is_set_up(unit, &UNITS.map(Path::new))
}

/// The first folder that has it decides; a masked unit is a link to `/dev/null`.
fn is_set_up(unit: &str, folders: &[&Path]) -> bool {
    let found = folders.iter().find_map(|folder| folder.join(unit).canonicalize().ok());
    found.is_some_and(|file| file != Path::new("/dev/null"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> tempfile::TempDir {
        tempfile::tempdir().expect("a directory")
    }

    #[test]
    fn a_masked_unit_is_none() {
        let (package, administrator) = (directory(), directory());
        let folders = [administrator.path(), package.path()];
        assert!(!is_set_up("rpcbind.socket", &folders));
        std::fs::write(package.path().join("rpcbind.socket"), "[Socket]\n").expect("writing");
        assert!(is_set_up("rpcbind.socket", &folders));
        std::os::unix::fs::symlink("/dev/null", administrator.path().join("rpcbind.socket")).expect("linking");
        assert!(!is_set_up("rpcbind.socket", &folders));
    }
}
