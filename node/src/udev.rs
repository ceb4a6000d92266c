//! systemd's udev, which may give a new link another hardware address than whoever made it does at the same moment.

use std::path::Path;

use landbridge_fabric::InterfaceName;

use crate::machine::File;

/// Where the machine's own word about links stands, before that of packages: systemd.link(5).
const WORDS: &str = "/etc/systemd/network";
/// Its control socket.
const CONTROL: &str = "/run/udev/control";

/// Whether this machine has it.
pub fn is_here() -> bool {
    Path::new(CONTROL).exists() && Path::new(WORDS).is_dir()
}

/// Word for it to leave this link's hardware address alone, in place of `99-default.link`. It looks for changed files every three seconds
/// at most, so a link that comes sooner may still be given another.
pub fn leaves_alone(link: &InterfaceName) -> File {
    File::open(Path::new(WORDS).join(format!("10-landbridge-{link}.link")), text(link))
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
