//! A NIS domain, to the vLAN only: users, groups and host names of the front-end on every worker.
//!
//! Password hashes never travel. Whoever needs to log in on a worker does so with a key.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use landbridge_node::machine::{Children, File, Input, MachineSpec, Process, Readiness, Residue, Run};
use landbridge_node::wire::{HostEntry, NisBundle, People};

use super::{directory, hosts};
use crate::paths::Paths;
use crate::spec::{Cluster, Nis};

mod maps;
pub mod people;
mod rpcbind;

pub use rpcbind::{RPCBIND_PORT, Rpcbind, detect};

/// `ypserv`'s port, the customary one. It takes the next one too, for IPv6.
pub const PORT: u16 = 834;

/// The only place where Debian's `ypserv` looks for them.
const SECURENETS: &str = "/var/yp/securenets";

/// What the front-end needs to serve the domain; nothing when the cluster has no NIS. `workers` are the host names in
/// the maps beside the front-end's own: converge again with the new list when one joins or leaves, or with other `people`.
pub fn resources(
    cluster: &Cluster,
    paths: &Paths,
    workers: &[HostEntry],
    people: &People,
    rpcbind: Rpcbind,
) -> MachineSpec {
    let mut spec = MachineSpec::default();
    if let Some(nis) = &cluster.services.nis {
        spec.extend(rpcbind::resources(address(cluster), rpcbind));
        spec.push(File::open(SECURENETS, securenets(cluster)));
        spec.extend(maps(cluster, nis, &paths.services().join("nis"), workers, people));
        spec.push(Residue { path: "/run/ypserv.pid".into() });
        spec.push(ypserv(address(cluster)));
    }
    spec
}

/// What a worker binds to; `None` when the cluster has no NIS.
pub fn bundle(cluster: &Cluster, people: &People) -> Option<NisBundle> {
    let nis = cluster.services.nis.as_ref()?;
    Some(NisBundle { domain: nis.domain.clone(), server: address(cluster), people: people::table(people) })
}

/// Ports that the [guard](super::guard) keeps to the vLAN.
pub fn ports(rpcbind: Rpcbind) -> Vec<u16> {
    match rpcbind {
        Rpcbind::Ours => vec![RPCBIND_PORT, PORT, PORT + 1],
        Rpcbind::Systems => vec![PORT, PORT + 1],
    }
}

fn address(cluster: &Cluster) -> Ipv4Addr {
    cluster.vlan.front_end().ip()
}

fn maps(cluster: &Cluster, nis: &Nis, folder: &Path, workers: &[HostEntry], people: &People) -> MachineSpec {
    let [passwd, group, hosts_file, script] = ["passwd", "group", "hosts", "build-maps"].map(|name| folder.join(name));
    let front_end = HostEntry { name: cluster.front_end.name.clone(), address: address(cluster) };
    let all: Vec<HostEntry> = [front_end].iter().chain(workers).cloned().collect();
    let mut spec = MachineSpec::default();
    spec.push(directory(folder));
    spec.push(File::open(&passwd, people.passwd.as_str()));
    spec.push(File::open(&group, people.group.as_str()));
    spec.push(File::open(&hosts_file, hosts::lines(&all)));
    spec.push(File { mode: 0o755, ..File::open(&script, maps::BUILD) });
    let text = |path: &Path| path.display().to_string();
    spec.push(Run {
        name: "nis-maps".into(),
        argv: [text(&script), nis.domain.clone(), cluster.front_end.name.to_string()]
            .into_iter()
            .chain([&passwd, &group, &hosts_file].map(|file| text(file)))
            .collect(),
        env: vec![],
        directory: "/".into(),
        inputs: [passwd, group, hosts_file, script].map(Input::Path).into(),
        outputs: vec![map_folder(nis)],
        undo: vec![],
        holds: vec![],
        deadline: Duration::from_secs(30),
    });
    spec
}

fn map_folder(nis: &Nis) -> PathBuf {
    Path::new("/var/yp").join(&nis.domain)
}

fn ypserv(address: Ipv4Addr) -> Process {
    Process {
        name: "ypserv".into(),
        argv: ["/usr/sbin/ypserv", "-f", "-p", &PORT.to_string()].map(String::from).into(),
        env: vec![],
        restart_on: vec![],
        reload_on: vec![SECURENETS.into()],
        ready: Readiness::Tcp((address, PORT).into()),
        deadline: Duration::from_secs(10),
        grace: Process::GRACE,
        children: Children::End,
        starts_as_batch: false,
    }
}

/// Who may ask: this machine and the vLAN. `ypserv` listens on every address, and answers nobody else.
fn securenets(cluster: &Cluster) -> String {
    let subnet = cluster.vlan.subnet;
    format!(
        "# NIS clients of cluster {}. Written by landbridge; changes here are lost.\n\
         host 127.0.0.1\n\
         {} {}\n",
        cluster.name,
        subnet.mask(),
        subnet.network()
    )
}

#[cfg(test)]
mod tests {
    use landbridge_node::machine::Resource;

    use super::*;
    use crate::spec::{ClusterName, example};

    fn cluster() -> Cluster {
        example(ClusterName::new("ursa").expect("a cluster name"))
    }

    #[test]
    fn only_the_vlan_and_this_machine_may_ask() {
        insta::assert_snapshot!(securenets(&cluster()), @r"
        # NIS clients of cluster ursa. Written by landbridge; changes here are lost.
        host 127.0.0.1
        255.255.0.0 10.77.0.0
        ");
    }

    #[test]
    fn the_maps_are_built_before_they_are_served() {
        let spec = resources(&cluster(), &Paths::default(), &[], &People::default(), Rpcbind::Ours);
        let place = |wanted: &dyn Fn(&Resource) -> bool| spec.resources.iter().position(wanted);
        let built = place(&|resource| matches!(resource, Resource::Run(run) if run.name == "nis-maps"));
        let served = place(&|resource| matches!(resource, Resource::Process(process) if process.name == "ypserv"));
        assert!(built.is_some() && built < served);
    }

    #[test]
    fn a_cluster_without_nis_needs_nothing() {
        let mut cluster = cluster();
        cluster.services.nis = None;
        assert_eq!(
            resources(&cluster, &Paths::default(), &[], &People::default(), Rpcbind::Ours),
            MachineSpec::default()
        );
        assert_eq!(bundle(&cluster, &People::default()), None);
    }
}
