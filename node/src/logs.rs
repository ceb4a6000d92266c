//! The logs of the programs that we start, kept from growing for ever where logrotate(8) is there to do it.

use std::path::Path;

use crate::machine::{File, MachineSpec};

/// Where packages leave word for logrotate.
const WORDS: &str = "/etc/logrotate.d";

/// Whether this machine has logrotate, or is ready for it.
pub fn are_rotated() -> bool {
    Path::new(WORDS).is_dir()
}

/// Word for logrotate about the logs in this directory; `name` tells it apart from others'.
pub fn rotation(name: &str, directory: &Path) -> MachineSpec {
    let mut spec = MachineSpec::default();
    spec.push(File::open(Path::new(WORDS).join(name), text(directory)));
    spec
}

/// `copytruncate`: the programs keep their logs open, and append to them.
fn text(directory: &Path) -> String {
    format!(
        "# Written by Landbridge; changes here are lost.\n\
         {}/*.log {{\n\
         \tweekly\n\
         \tmaxsize 50M\n\
         \trotate 4\n\
         \tmissingok\n\
         \tnotifempty\n\
         \tcompress\n\
         \tdelaycompress\n\
         \tcopytruncate\n\
         }}\n",
        directory.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logrotate_is_told_of_every_log() {
        insta::assert_snapshot!(text(Path::new("/var/log/landbridge")), @r"
        # Written by Landbridge; changes here are lost.
        /var/log/landbridge/*.log {
        	weekly
        	maxsize 50M
        	rotate 4
        	missingok
        	notifempty
        	compress
        	delaycompress
        	copytruncate
        }
        ");
    }
}
