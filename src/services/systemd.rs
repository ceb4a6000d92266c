//! What systemd keeps on this machine by itself.

use std::path::Path;

/// Where units are, systemd.unit(5): the packages', and the administrator's.
const UNITS: [&str; 3] = ["/lib/systemd/system", "/usr/lib/systemd/system", "/etc/systemd/system"];

/// Whether systemd is this machine's init, as `sd_booted(3)` finds it out.
pub fn runs() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// Whether a package has set up this unit for a systemd that runs.
pub(super) fn has(unit: &str) -> bool {
    runs() && UNITS.iter().any(|folder| Path::new(folder).join(unit).exists())
}
