//! What stands in the way of `up`, found before anything is changed.

use std::collections::BTreeSet;
use std::path::Path;

use landbridge_node::{guard, underlay};

use super::Surroundings;
use crate::network;
use crate::services;
use crate::services::nfs::NfsServer;
use crate::spec::{Cluster, Host, HostKind, SchedulerKind, Uplink};

/// A program that the front-end runs, and the Debian package that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Program {
    purpose: &'static str,
    path: &'static str,
    package: &'static str,
}

const fn program(purpose: &'static str, path: &'static str, package: &'static str) -> Program {
    Program { purpose, path, package }
}

const TUNNEL: [Program; 2] =
    [program("tunnels", "/usr/sbin/openvpn", "openvpn"), program("tunnels", "/usr/bin/setpriv", "util-linux")];
/// Whatever listens on every address is guarded, and so is a VXLAN uplink.
const GUARD: Program = program("keeping the vLAN to its members", guard::NFT, "nftables");
const NIS: [Program; 3] = [
    program("NIS", "/usr/sbin/ypserv", "ypserv"),
    program("NIS", "/usr/lib/yp/makedbm", "ypserv"),
    program("NIS", "/usr/sbin/rpcbind", "rpcbind"),
];
const SGE: [Program; 3] = [
    program("Grid Engine", "/usr/lib/gridengine/sge_qmaster", "gridengine-master"),
    program("Grid Engine", "/usr/lib/gridengine/qconf", "gridengine-client"),
    program("Grid Engine", "/usr/lib/gridengine/qhost", "gridengine-client"),
];
const GANESHA: Program = program("NFS", "/usr/bin/ganesha.nfsd", "nfs-ganesha nfs-ganesha-vfs");

/// What can be told before anything is changed, a sentence each; nothing when `up` can begin.
pub fn obstacles(cluster: &Cluster, around: &Surroundings) -> Vec<String> {
    let nfs = cluster.services.nfs.iter();
    let mut found: Vec<String> =
        nfs.flat_map(|nfs| services::nfs::unservable(&nfs.exports, around.nfs_server)).collect();
    if !around.daemon.exists() {
        found
            .push(format!("{} is missing: landbridge and landbridged are installed together", around.daemon.display()));
    }
    found.extend(missing(&needed(cluster, around), Path::exists));
    found.extend(unfit_underlay(cluster));
    found
}

/// Where there are physical hosts: without any nothing has to pass the uplink.
fn unfit_underlay(cluster: &Cluster) -> Option<String> {
    let is_physical = |host: &Host| matches!(host.kind, HostKind::Physical(_));
    let failure = cluster.hosts.iter().any(is_physical).then(|| {
        let links = network::of_front_end(cluster, &BTreeSet::new(), &[]);
        underlay::unfit(&links)
    });
    failure.flatten().map(|failure| format!("{failure}; {}", failure.remedy))
}

fn needed(cluster: &Cluster, around: &Surroundings) -> Vec<Program> {
    let services = &cluster.services;
    let sge = services.scheduler == SchedulerKind::Sge;
    let mut all = TUNNEL.to_vec();
    all.extend(services.nis.iter().flat_map(|_| NIS));
    all.extend(sge.then_some(SGE).into_iter().flatten());
    let vxlan = matches!(cluster.vlan.uplink, Uplink::Vxlan { .. });
    all.extend((services.nis.is_some() || sge || vxlan).then_some(GUARD));
    let ganesha = services.nfs.is_some() && around.nfs_server == NfsServer::Ganesha;
    all.extend(ganesha.then_some(GANESHA));
    all
}

/// A sentence for each program that isn't there, and one command that installs them all.
fn missing(needed: &[Program], exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let absent: Vec<&Program> = needed.iter().filter(|program| !exists(Path::new(program.path))).collect();
    if absent.is_empty() {
        return Vec::new();
    }
    let packages: BTreeSet<&str> = absent.iter().map(|program| program.package).collect();
    let install = packages.into_iter().collect::<Vec<_>>().join(" ");
    let told = absent.iter().map(|p| format!("{} is not installed, for {}", p.path, p.purpose));
    told.chain([format!("on Debian: apt-get install {install}")]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_with_one_command_that_installs_it() {
        let needed: Vec<Program> = TUNNEL.into_iter().chain(NIS).collect();
        assert!(missing(&needed, |_| true).is_empty());
        let told = missing(&needed, |path| path.starts_with("/usr/bin"));
        insta::assert_snapshot!(told.join("\n"), @r"
        /usr/sbin/openvpn is not installed, for tunnels
        /usr/sbin/ypserv is not installed, for NIS
        /usr/lib/yp/makedbm is not installed, for NIS
        /usr/sbin/rpcbind is not installed, for NIS
        on Debian: apt-get install openvpn rpcbind ypserv
        ");
    }
}
