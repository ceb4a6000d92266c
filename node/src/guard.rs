//! A packet filter of ours, in front of what would answer anybody: one table of nftables, which drops and never accepts what
//! another table refuses.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use landbridge_fabric::{LinkKind, Network, Owner, Vni};

use crate::machine::{Directory, File, Input, MachineSpec, Run};

/// nft(8), of Debian's nftables.
pub const NFT: &str = "/usr/sbin/nft";

/// The table with these rules of nft(8), a line each, tried in their order for every packet that is for this machine. Its file
/// lies in `folder`. No rules are no table.
pub fn resources(owner: &Owner, folder: &Path, rules: &[String]) -> MachineSpec {
    let mut spec = MachineSpec::default();
    if rules.is_empty() {
        return spec;
    }
    let file = folder.join("guard.nft");
    let table = table(owner);
    spec.push(Directory { path: folder.into(), mode: 0o755, owner: None });
    spec.push(File::open(&file, render(&table, rules)));
    spec.push(Run {
        name: "guard".into(),
        argv: vec![NFT.into(), "-f".into(), file.display().to_string()],
        env: vec![],
        directory: "/".into(),
        inputs: vec![Input::Path(file), boot()],
        outputs: vec![],
        // Without the program nobody can; what it left is gone with the next boot.
        undo: [
            "/bin/sh",
            "-c",
            "! [ -x \"$0\" ] || exec \"$0\" \"add table inet $1; delete table inet $1\"",
            NFT,
            &table,
        ]
        .map(String::from)
        .into(),
        // Another's rules often begin with a word that takes everybody's away: Debian's own /etc/nftables.conf does.
        holds: [NFT, "list", "chain", "inet", &table, "input"].map(String::from).into(),
        deadline: Duration::from_secs(10),
    });
    spec
}

/// Drops what claims to come over a VXLAN uplink of `network`, and not from its members. Linux takes such a packet from
/// anybody, for any of its addresses: with the VNI alone a stranger would be on the vLAN.
pub fn of_uplinks(network: &Network) -> Vec<String> {
    let uplinks = network.links.values().filter_map(|link| match &link.kind {
        LinkKind::Vxlan { vni, port, flood, .. } => Some(members_only(*vni, *port, flood)),
        _ => None,
    });
    uplinks.collect()
}

/// The VNI is in bytes 12 to 14 from the UDP header's start (RFC 7348, section 5): another cluster's frames, at the same
/// port, have other members.
fn members_only(vni: Vni, port: u16, members: &BTreeSet<Ipv4Addr>) -> String {
    let frames = format!("udp dport {port} @th,96,24 {}", u32::from(vni));
    if members.is_empty() {
        return format!("{frames} drop");
    }
    let members = members.iter().map(Ipv4Addr::to_string).collect::<Vec<_>>().join(", ");
    format!("{frames} ip saddr != {{ {members} }} drop")
}

/// Changes with every boot: what is loaded into the kernel must be loaded again.
fn boot() -> Input {
    Input::Path("/proc/sys/kernel/random/boot_id".into())
}

/// The table's name. An owner's name has no underscore, so two owners never share one.
fn table(owner: &Owner) -> String {
    format!("landbridge_{}", owner.to_string().replace('-', "_"))
}

fn render(table: &str, rules: &[String]) -> String {
    let mut lines = String::new();
    for rule in rules {
        let _ = writeln!(lines, "\t\t{rule}");
    }
    // Adding it before deleting it makes one transaction of both cases: there already, and not there yet.
    format!(
        "table inet {table}\n\
         delete table inet {table}\n\
         table inet {table} {{\n\
         \tchain input {{\n\
         \t\ttype filter hook input priority filter; policy accept;\n\
         {lines}\
         \t}}\n\
         }}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vni() -> Vni {
        Vni::new(77).expect("a VNI")
    }

    #[test]
    fn the_table_has_every_rule_in_its_order() {
        let rules = ["tcp dport { 111 } drop", "udp dport { 111 } drop"].map(String::from);
        insta::assert_snapshot!(render("landbridge_ursa", &rules));
    }

    #[test]
    fn a_segments_frames_are_taken_from_its_members_and_without_any_from_nobody() {
        let members = BTreeSet::from(["192.0.2.11", "192.0.2.12"].map(|text| text.parse().expect("an address")));
        insta::assert_snapshot!(members_only(vni(), 4789, &members), @"udp dport 4789 @th,96,24 77 ip saddr != { 192.0.2.11, 192.0.2.12 } drop");
        insta::assert_snapshot!(members_only(vni(), 4789, &BTreeSet::new()), @"udp dport 4789 @th,96,24 77 drop");
    }

    #[test]
    fn nothing_to_guard_is_no_resource() {
        assert_eq!(resources(&Owner("ursa".into()), Path::new("/guard"), &[]), MachineSpec::default());
    }
}
