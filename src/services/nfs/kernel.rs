//! The kernel's NFS server.
//!
//! `nfsd` has no process that could be kept: it is told what to export, and started by the number of its threads. Its
//! setting is in `/etc/exports.d`, so that exports of others in `/etc/exports` stay as they are.

use std::path::{Path, PathBuf};
use std::time::Duration;

use landbridge_node::machine::{File, Input, MachineSpec, Run};

use super::{address, sorted};
use crate::spec::Cluster;

const EXPORTS: &str = "/etc/exports.d/landbridge.exports";

/// The exports and the server. `rpc.nfsd` is not stopped when this is undone: others may export too.
pub(super) fn resources(cluster: &Cluster, exports: &[PathBuf]) -> MachineSpec {
    let mut spec = MachineSpec::default();
    spec.push(File::open(EXPORTS, render(cluster, exports)));
    spec.push(run("nfsd", start(cluster), vec![], &[]));
    let export_all = ["/usr/sbin/exportfs", "-r"].map(String::from).into();
    spec.push(run("exportfs", export_all, unexport(cluster, exports), &[EXPORTS.as_ref()]));
    spec
}

fn run(name: &str, argv: Vec<String>, undo: Vec<String>, inputs: &[&Path]) -> Run {
    let boot: &Path = "/proc/sys/kernel/random/boot_id".as_ref();
    Run {
        name: name.into(),
        argv,
        env: vec![],
        directory: "/".into(),
        inputs: inputs.iter().chain([&boot]).map(|path| Input::Path((*path).into())).collect(),
        outputs: vec![],
        undo,
        deadline: Duration::from_secs(30),
    }
}

/// A server that runs already is left as it is: it can't be bound to another address while it runs.
const START: &str = "mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
[ \"$(cat /proc/fs/nfsd/threads)\" -gt 0 ] || exec /usr/sbin/rpc.nfsd --host \"$1\" --no-nfs-version 3 8";

/// What was unexported by hand before is no error.
const UNEXPORT: &str = "for export; do /usr/sbin/exportfs -u \"$export\" || :; done";

fn start(cluster: &Cluster) -> Vec<String> {
    shell(START, [address(cluster).to_string()])
}

fn unexport(cluster: &Cluster, exports: &[PathBuf]) -> Vec<String> {
    let subnet = cluster.vlan.subnet;
    shell(UNEXPORT, sorted(exports).map(|path| format!("{subnet}:{}", path.display())))
}

/// A script with its arguments beside it, so that nothing needs quoting.
fn shell(script: &str, arguments: impl IntoIterator<Item = String>) -> Vec<String> {
    let head = ["/bin/sh", "-euc", script, "sh"].map(String::from);
    head.into_iter().chain(arguments).collect()
}

fn render(cluster: &Cluster, exports: &[PathBuf]) -> String {
    let subnet = cluster.vlan.subnet;
    let options = "rw,sync,no_subtree_check,root_squash,sec=sys";
    let lines = sorted(exports).map(|path| format!("\"{}\" {subnet}({options})\n", path.display()));
    format!("# NFS exports of cluster {}. Written by landbridge.\n{}", cluster.name, lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{ClusterName, example};

    fn cluster() -> Cluster {
        example(ClusterName::new("ursa").expect("a cluster name"))
    }

    #[test]
    fn the_exports_admit_the_vlan_only() {
        insta::assert_snapshot!(render(&cluster(), &["/srv/my data".into(), "/home".into()]));
    }

    #[test]
    fn undone_only_our_paths_are_unexported() {
        assert_eq!(unexport(&cluster(), &["/home".into()])[4..], ["10.77.0.0/16:/home"]);
    }
}
