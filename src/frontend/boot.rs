//! After a reboot systemd brings the front-end up again, where systemd is the machine's init. Pure.

use std::path::Path;

use landbridge_node::machine::{Directory, File, MachineSpec};

use super::{Surroundings, command};

/// Where an administrator's units are.
const UNITS: &str = "/etc/systemd/system";
const UNIT: &str = "landbridge.service";

/// The unit, and what has the boot want it: a drop-in, which is a file like others, where `systemctl enable` makes a link.
/// Nothing is told to systemd: this boot's front-end is up, and the next boot reads both.
pub(super) fn resources(around: &Surroundings) -> MachineSpec {
    let mut spec = MachineSpec::default();
    if around.systemd {
        let units = Path::new(UNITS);
        let wishes = units.join("multi-user.target.d");
        spec.push(File::open(units.join(UNIT), unit(around)));
        spec.push(Directory { path: wishes.clone(), mode: 0o755, owner: None });
        spec.push(File::open(wishes.join("landbridge.conf"), format!("[Unit]\nWants={UNIT}\n")));
    }
    spec
}

/// `KillMode=process` and no `ExecStop`: tunnels, mounts and the queue outlive whoever started them, and stopping the unit
/// stops nothing; `landbridge down` does.
fn unit(around: &Surroundings) -> String {
    let start: Vec<String> = command(&around.binary, around, &["up"]).iter().map(|word| quoted(word)).collect();
    format!(
        "# Written by landbridge up; landbridge down removes it.\n\
         [Unit]\n\
         Description=Landbridge: the front-end of a cluster\n\
         Wants=network-online.target\n\
         After=network-online.target\n\
         \n\
         [Service]\n\
         Type=oneshot\n\
         RemainAfterExit=yes\n\
         ExecStart={}\n\
         Restart=on-failure\n\
         RestartSec=5\n\
         KillMode=process\n",
        start.join(" "),
    )
}

/// A word as systemd reads it, systemd.service(5): specifiers, variables, quotes and spaces mean nothing.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let word = word.replace('%', "%%").replace('$', "$$");
    if word.chars().all(plain) { word } else { format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")) }
}

#[cfg(test)]
mod tests {
    use landbridge_node::machine::Resource;

    use super::*;
    use crate::frontend::fixture::around;

    fn shown(spec: &MachineSpec) -> String {
        let files = spec.resources.iter().map(|resource| match resource {
            Resource::Directory(directory) => format!("== {}/ {:04o}\n", directory.path.display(), directory.mode),
            Resource::File(file) => format!("== {} {:04o}\n{}", file.path.display(), file.mode, file.content.reveal()),
            other => panic!("nobody expects {other:?}"),
        });
        files.collect()
    }

    #[test]
    fn where_systemd_is_the_init_a_boot_brings_the_front_end_up() {
        insta::assert_snapshot!(shown(&resources(&around(true))));
    }

    #[test]
    fn elsewhere_no_unit_is_written() {
        assert_eq!(resources(&around(false)).resources, []);
    }

    #[test]
    fn a_path_with_spaces_and_signs_reaches_the_program_as_it_is() {
        assert_eq!(quoted("/srv/my cluster/50%.toml"), "\"/srv/my cluster/50%%.toml\"");
        assert_eq!(quoted("/etc/landbridge/cluster.toml"), "/etc/landbridge/cluster.toml");
        assert_eq!(quoted("a\"b$c"), "\"a\\\"b$$c\"");
    }
}
