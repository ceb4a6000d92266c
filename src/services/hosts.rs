//! Host names on the front-end: its own and every worker's, the same in both directions.
//!
//! Grid Engine knows machines by the name that their address resolves to, so the vLAN's names must win over whatever
//! else `/etc/hosts` says: Debian, for one, lets a machine's own name be 127.0.1.1.

use landbridge_node::machine::{Block, MachineSpec};
use landbridge_node::wire::HostEntry;

/// The block in `/etc/hosts`. `own_name` is what `uname -n` says on the front-end: where it differs from the cluster's
/// name for it, it becomes an alias, so that programs which ask for their own host find the vLAN's name.
pub fn resources(front_end: &HostEntry, own_name: &str, workers: &[HostEntry]) -> MachineSpec {
    let mut spec = MachineSpec::default();
    spec.push(Block {
        path: "/etc/hosts".into(),
        name: "hosts".into(),
        text: text(front_end, own_name, workers),
        first: true,
        replaces: vec![],
    });
    spec
}

fn text(front_end: &HostEntry, own_name: &str, workers: &[HostEntry]) -> String {
    let mut first = line(front_end);
    if own_name != front_end.name.as_str() && is_host_name(own_name) {
        first = format!("{first} {own_name}");
    }
    let lines = [first].into_iter().chain(sorted(workers).map(line));
    lines.map(|line| line + "\n").collect()
}

/// The lines of a hosts file, by address, each ending with a newline.
pub fn lines(entries: &[HostEntry]) -> String {
    sorted(entries).map(|entry| line(entry) + "\n").collect()
}

fn sorted(entries: &[HostEntry]) -> impl Iterator<Item = &HostEntry> {
    let mut entries: Vec<&HostEntry> = entries.iter().collect();
    entries.sort_by_key(|entry| (entry.address, &entry.name));
    entries.dedup();
    entries.into_iter()
}

fn line(entry: &HostEntry) -> String {
    format!("{}\t{}", entry.address, entry.name)
}

/// RFC 952 and 1123, loosely: what can stand in a hosts file, and is not the loopback's.
fn is_host_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with("localhost")
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

#[cfg(test)]
mod tests {
    use landbridge_pki::NodeName;

    use super::*;

    fn entry(name: &str, address: [u8; 4]) -> HostEntry {
        HostEntry { name: NodeName::new(name).expect("a node name"), address: address.into() }
    }

    #[test]
    fn the_order_of_workers_does_not_change_the_text() {
        let (w1, w2) = (entry("w1", [10, 77, 1, 1]), entry("w2", [10, 77, 1, 2]));
        assert_eq!(lines(&[w2.clone(), w1.clone(), w2.clone()]), lines(&[w1, w2]));
    }

    #[test]
    fn the_machines_own_name_becomes_an_alias_of_the_vlans() {
        let fe = entry("fe", [10, 77, 0, 1]);
        assert_eq!(text(&fe, "head.example.org", &[]), "10.77.0.1\tfe head.example.org\n");
        assert_eq!(text(&fe, "fe", &[]), "10.77.0.1\tfe\n");
        assert_eq!(text(&fe, "localhost", &[]), "10.77.0.1\tfe\n");
        assert_eq!(text(&fe, "evil\n0.0.0.0 fe", &[]), "10.77.0.1\tfe\n");
    }
}
