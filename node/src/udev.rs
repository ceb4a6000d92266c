//! systemd's udev, which may give a new link another hardware address. It looks, and writes a moment later: what the link's maker has
//! given it in between is lost. A file for the link, which goes before udev's own (`99-default.link`), tells it to leave the link alone.

use std::path::Path;
use std::time::Duration;

use landbridge_fabric::InterfaceName;

use crate::machine::{File, Input, MachineSpec, Run};

/// Where the machine's own word about links stands: systemd.link(5).
const DIRECTORY: &str = "/etc/systemd/network";
/// Its control socket.
const CONTROL: &str = "/run/udev/control";
/// By itself udev looks for changed files every three seconds at most, and the modules of a join have just made it look. A udev that can't be
/// told is no reason not to join: the worker looks at its tap's address besides.
const TELL: &str = "udevadm control --reload --timeout=3 || true";
const DEADLINE: Duration = Duration::from_secs(10);

/// Whether this machine has it, and a place for the file.
pub(crate) fn is_here() -> bool {
    Path::new(CONTROL).exists() && Path::new(DIRECTORY).is_dir()
}

/// Word for it to leave this link's hardware address alone.
pub(crate) fn leave_alone(link: &InterfaceName) -> MachineSpec {
    let path = Path::new(DIRECTORY).join(format!("10-landbridge-{link}.link"));
    let tell = Run {
        name: "udev".into(),
        argv: ["/bin/sh", "-c", TELL].map(Into::into).to_vec(),
        env: Vec::new(),
        directory: "/".into(),
        inputs: vec![Input::Path(path.clone())],
        outputs: Vec::new(),
        undo: Vec::new(),
        holds: Vec::new(),
        deadline: DEADLINE,
    };
    let mut spec = MachineSpec::default();
    spec.push(File::open(path, text(link))).push(tell);
    spec
}

fn text(link: &InterfaceName) -> String {
    format!(
        "# Written by Landbridge; changes here are lost.\n\
         [Match]\n\
         OriginalName={link}\n\
         \n\
         [Link]\n\
         MACAddressPolicy=none\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn udev_is_told_by_the_links_name() {
        insta::assert_snapshot!(text(&"lbw-ursa".parse().expect("a name")), @r"
        # Written by Landbridge; changes here are lost.
        [Match]
        OriginalName=lbw-ursa

        [Link]
        MACAddressPolicy=none
        ");
    }
}
