//! The kernel's NFS server.
//!
//! `nfsd` has no process that could be kept: it is started by the number of its threads, and asks `rpc.mountd` who may have
//! what, which exportfs(8) has told from `/etc/exports.d`; exports of others in `/etc/exports` stay as they are.

use std::path::{Path, PathBuf};
use std::time::Duration;

use landbridge_node::machine::{Children, Directory, File, Input, MachineSpec, Process, Readiness, Residue, Run};

use super::address;
use super::export_id::export_ids;
use crate::paths::Paths;
use crate::spec::Cluster;

const EXPORTS: &str = "/etc/exports.d/landbridge.exports";
pub(super) const EXPORTFS: &str = "/usr/sbin/exportfs";
pub(super) const MOUNTD: &str = "/usr/sbin/rpc.mountd";
/// Debian's, nfs-kernel-server.
pub(super) const UNIT: &str = "nfs-server.service";
const DEADLINE: Duration = Duration::from_secs(30);

/// The server, what answers its questions, and the exports.
pub(super) fn resources(cluster: &Cluster, paths: &Paths, exports: &[PathBuf]) -> MachineSpec {
    let started = paths.run.join("nfsd");
    let words = [address(cluster).to_string(), started.display().to_string()];
    let mut spec = MachineSpec::default();
    // The kernel's memory of clients, and exportfs's lock.
    for path in ["/var/lib/nfs/nfsdcltrack", "/var/lib/nfs/export-lock"] {
        spec.push(Residue { path: path.into() });
    }
    spec.push(Run { outputs: vec![started], ..run("nfsd", shell(START, words.clone()), shell(STOP, words), &[]) });
    spec.push(Process {
        name: "mountd".into(),
        // v4 alone asks no rpcbind and listens nowhere.
        argv: [MOUNTD, "--foreground", "--no-nfs-version", "2", "--no-nfs-version", "3"].map(String::from).into(),
        env: vec![],
        restart_on: vec![],
        reload_on: vec![],
        ready: Readiness::Running,
        deadline: DEADLINE,
        grace: Process::GRACE,
        children: Children::End,
        starts_as_batch: false,
    });
    export(cluster, exports, spec)
}

/// The exports of a server that the system starts by itself; it may export for others too, and is not stopped with us.
pub(super) fn beside_systemd(cluster: &Cluster, exports: &[PathBuf]) -> MachineSpec {
    let mut spec = MachineSpec::default();
    spec.push(run("nfsd", ["systemctl", "start", UNIT].map(String::from).into(), vec![], &[]));
    export(cluster, exports, spec)
}

fn export(cluster: &Cluster, exports: &[PathBuf], mut spec: MachineSpec) -> MachineSpec {
    spec.push(Directory { path: "/etc/exports.d".into(), mode: 0o755, owner: None });
    spec.push(File::open(EXPORTS, render(cluster, exports)));
    let export_all = [EXPORTFS, "-r"].map(String::from).into();
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
        holds: vec![],
        deadline: DEADLINE,
    }
}

/// To which address, and where to write down what is ours, each before it is made. A server that runs already is left as it is: it can't be
/// bound to another address while it runs. After a start every first open would wait out a grace period of 90 s in which
/// clients of before take their locks again; a front-end that restarts must not stop the whole cluster for as long.
const START: &str = "touch \"$2\"
if ! mountpoint -q /proc/fs/nfsd; then
    echo mounted >>\"$2\"
    modprobe nfsd
    mount -t nfsd nfsd /proc/fs/nfsd
fi
if [ \"$(cat /proc/fs/nfsd/threads)\" -eq 0 ]; then
    echo started >>\"$2\"
    /usr/sbin/rpc.nfsd --host \"$1\" --no-nfs-version 3 8
    echo Y >/proc/fs/nfsd/v4_end_grace
fi";

/// Ends what is ours of it, as far as it had come.
const STOP: &str = "mountpoint -q /proc/fs/nfsd || exit 0
! grep -qs started \"$2\" || /usr/sbin/rpc.nfsd 0
! grep -qs mounted \"$2\" || umount /proc/fs/nfsd";

/// What was unexported by hand before is no error.
const UNEXPORT: &str = "for export; do /usr/sbin/exportfs -u \"$export\" || :; done";

fn unexport(cluster: &Cluster, exports: &[PathBuf]) -> Vec<String> {
    let subnet = cluster.vlan.subnet;
    shell(UNEXPORT, exports.iter().map(|path| format!("{subnet}:{}", path.display())))
}

/// A script with its arguments beside it, so that nothing needs quoting.
fn shell(script: &str, arguments: impl IntoIterator<Item = String>) -> Vec<String> {
    let head = ["/bin/sh", "-euc", script, "sh"].map(String::from);
    head.into_iter().chain(arguments).collect()
}

fn render(cluster: &Cluster, exports: &[PathBuf]) -> String {
    let subnet = cluster.vlan.subnet;
    let options = "rw,sync,no_subtree_check,root_squash,sec=sys";
    // With a number of its own a file system needs no UUID to be exported, and handles outlive its move to another disk.
    let lines = export_ids(exports.iter().map(PathBuf::as_path))
        .into_iter()
        .map(|(id, path)| format!("\"{}\" {subnet}({options},fsid={id})\n", path.display()));
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
