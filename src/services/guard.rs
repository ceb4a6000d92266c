//! A packet filter in front of the services: only the vLAN and the front-end itself reach them.
//!
//! `rpcbind` (over TCP), `ypserv` and `sge_qmaster` listen on every address and can't be told otherwise, and Linux accepts
//! packets for any of its addresses on any link. So a table of our own drops what does not come in over the bridge.
//! It holds back these ports only and never accepts what another table refuses.

use std::collections::BTreeSet;
use std::time::Duration;

use landbridge_node::machine::{File, Input, MachineSpec, Run};

use super::directory;
use crate::naming;
use crate::paths::Paths;
use crate::spec::{Cluster, ClusterName};

/// Ports, TCP and UDP alike, that only the vLAN may reach; no resources when there are none.
pub fn resources(cluster: &Cluster, paths: &Paths, ports: &BTreeSet<u16>) -> MachineSpec {
    let mut spec = MachineSpec::default();
    if ports.is_empty() {
        return spec;
    }
    let folder = paths.services().join("guard");
    let rules = folder.join("guard.nft");
    let table = table(&cluster.name);
    spec.push(directory(&folder));
    spec.push(File::open(&rules, render(cluster, ports)));
    spec.push(Run {
        name: "guard".into(),
        argv: vec!["/usr/sbin/nft".into(), "-f".into(), rules.display().to_string()],
        env: vec![],
        directory: "/".into(),
        inputs: vec![Input::Path(rules), boot()],
        outputs: vec![],
        undo: vec!["/usr/sbin/nft".into(), format!("add table inet {table}; delete table inet {table}")],
        // Another's rules often begin with a word that takes everybody's away: Debian's own /etc/nftables.conf does.
        holds: ["/usr/sbin/nft", "list", "chain", "inet", &table, "input"].map(String::from).into(),
        deadline: Duration::from_secs(10),
    });
    spec
}

/// Changes with every boot: what is loaded into the kernel must be loaded again.
fn boot() -> Input {
    Input::Path("/proc/sys/kernel/random/boot_id".into())
}

/// The table's name. A cluster's name has no underscore, so two clusters never share one.
fn table(cluster: &ClusterName) -> String {
    format!("landbridge_{}", cluster.as_str().replace('-', "_"))
}

fn render(cluster: &Cluster, ports: &BTreeSet<u16>) -> String {
    let table = table(&cluster.name);
    let bridge = naming::bridge(&cluster.name);
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    let ports = ports.join(", ");
    // Adding it before deleting it makes one transaction of both cases: there already, and not there yet.
    format!(
        "table inet {table}\n\
         delete table inet {table}\n\
         table inet {table} {{\n\
         \tchain input {{\n\
         \t\ttype filter hook input priority filter; policy accept;\n\
         \t\tiifname {{ \"lo\", \"{bridge}\" }} accept\n\
         \t\ttcp dport {{ {ports} }} drop\n\
         \t\tudp dport {{ {ports} }} drop\n\
         \t}}\n\
         }}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::example;

    fn cluster() -> Cluster {
        example(ClusterName::new("ursa").expect("a cluster name"))
    }

    #[test]
    fn the_rules_name_the_bridge_and_every_port() {
        insta::assert_snapshot!(render(&cluster(), &BTreeSet::from([2049, 111])));
    }

    #[test]
    fn nothing_to_guard_is_no_resource() {
        assert_eq!(resources(&cluster(), &Paths::default(), &BTreeSet::new()), MachineSpec::default());
    }
}
