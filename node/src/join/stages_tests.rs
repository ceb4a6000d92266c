//! What each stage adds, for both ways in: a snapshot that a person can read.

use std::net::Ipv4Addr;

use landbridge_fabric::{InterfaceName, Mtu};
use landbridge_pki::NodeName;
use secrecy::SecretString;

use super::stages::{is_needed, resources, spec_until, whole_spec};
use super::worker::Worker;
use crate::machine::Resource;
use crate::paths::Paths;
use crate::state::Attachment;
use crate::wire::{Bundle, HostEntry, LinkBundle, NfsBundle, NisBundle, People, QueueBundle, SgeBundle, Stage, Via};

const KEY: &str = "the-private-key";

fn interface(name: &str) -> InterfaceName {
    InterfaceName::new(name).expect("a name")
}

fn worker(via: Via) -> Worker {
    let front_end = Ipv4Addr::new(10, 77, 0, 1);
    let (link, nic) = match via {
        Via::Bridge => (LinkBundle::Bridge, Some(interface("eth1"))),
        Via::Tunnel => (
            LinkBundle::Tunnel { config: "client\n".into(), device: interface("lbw-ursa"), wide: None, mac: None },
            None,
        ),
    };
    let sge = SgeBundle {
        root: "/var/lib/gridengine".into(),
        cell: "default".into(),
        qmaster_port: 6444,
        execd_port: 6445,
        common: vec![("act_qmaster".into(), "frontend\n".into()), ("bootstrap".into(), "…\n".into())],
    };
    Worker {
        name: NodeName::new("w1").expect("a name"),
        certificate_pem: "CERTIFICATE".into(),
        key_pem: SecretString::from(KEY),
        bundle: Bundle {
            address: "10.77.1.5/16".parse().expect("an address"),
            front_end: HostEntry { name: NodeName::new("frontend").expect("a name"), address: front_end },
            mtu: Mtu::ETHERNET,
            link,
            nfs: Some(NfsBundle {
                server: front_end,
                exports: vec!["/home".into(), "/srv/data".into()],
                root: None,
                options: "vers=4.2,hard".into(),
            }),
            nis: Some(NisBundle { domain: "ursa.vlan".into(), server: front_end, people: Some(people()) }),
            queue: Some(QueueBundle::Sge(sge)),
        },
        attachment: Attachment { via, nic, foreign_rpcbind: false },
        rotates_logs: true,
        has_udev: true,
        paths: Paths::default(),
    }
}

fn people() -> People {
    People { passwd: "ada:*:1000:1000::/home/ada:/bin/bash\n".into(), group: "ada:*:1000:\n".into() }
}

fn line(resource: &Resource) -> String {
    match resource {
        Resource::Network(network) => network.links.iter().fold("network".into(), |text, (name, link)| {
            let addresses: Vec<String> = link.addresses.iter().map(ToString::to_string).collect();
            format!("{text} {name} {:?} mtu {} {}", link.kind, link.mtu, addresses.join(" "))
        }),
        Resource::Directory(d) => {
            format!("directory {} {:o} {}", d.path.display(), d.mode, d.owner.as_deref().unwrap_or("root"))
        }
        Resource::File(file) => format!("file {} {:o} {:?}", file.path.display(), file.mode, file.content),
        Resource::Block(block) => format!(
            "block {} in {}{}{} {:?}",
            block.name,
            block.path.display(),
            if block.first { ", first" } else { "" },
            if block.replaces.is_empty() { String::new() } else { format!(", for {:?}", block.replaces) },
            block.text,
        ),
        Resource::Process(process) => format!("process {} {:?} ready: {:?}", process.name, process.argv, process.ready),
        Resource::Mount(mount) => {
            format!("mount {} at {} {} {}", mount.source, mount.target.display(), mount.fstype, mount.options)
        }
        Resource::Residue(residue) => format!("residue {}", residue.path.display()),
        Resource::Sysctl(sysctl) => format!("sysctl {} {:?}", sysctl.name, sysctl.value),
        Resource::Run(run) => format!("run {} {:?}", run.name, run.argv),
    }
}

fn timeline(worker: &Worker) -> String {
    let stage = |stage: &Stage| {
        let lines = resources(*stage, worker).resources.iter().map(line).collect::<Vec<_>>();
        format!("{stage}\n{}", lines.iter().fold(String::new(), |text, line| text + "  " + line + "\n"))
    };
    Stage::ALL.iter().map(stage).collect()
}

#[test]
fn a_worker_behind_a_tunnel_gets_this_stage_by_stage() {
    insta::assert_snapshot!(timeline(&worker(Via::Tunnel)));
}

#[test]
fn a_worker_on_a_bridge_gets_this_stage_by_stage() {
    insta::assert_snapshot!(timeline(&worker(Via::Bridge)));
}

#[test]
fn behind_the_link_both_kinds_are_the_same() {
    let behind = |via| {
        let worker = worker(via);
        whole_spec(&worker).resources[spec_until(Stage::Link, &worker).resources.len()..].to_vec()
    };
    assert_eq!(behind(Via::Tunnel), behind(Via::Bridge));
}

#[test]
fn a_port_mapper_of_others_is_left_alone() {
    let mut worker = worker(Via::Tunnel);
    let processes = |worker: &Worker| {
        let spec = resources(Stage::Nis, worker);
        spec.resources.iter().filter(|r| matches!(r, Resource::Process(p) if p.name == "rpcbind")).count()
    };
    assert_eq!(processes(&worker), 1);
    worker.attachment.foreign_rpcbind = true;
    assert_eq!(processes(&worker), 0);
}

#[test]
fn a_cluster_without_services_needs_only_the_network() {
    let mut worker = worker(Via::Tunnel);
    (worker.bundle.nfs, worker.bundle.nis, worker.bundle.queue) = (None, None, None);
    let needed: Vec<Stage> = Stage::ALL.into_iter().filter(|stage| is_needed(*stage, &worker.bundle)).collect();
    assert_eq!(needed, [Stage::Contact, Stage::Identity, Stage::Link, Stage::Address, Stage::Mtu]);
}

#[test]
fn the_private_key_is_shown_nowhere() {
    let spec = whole_spec(&worker(Via::Tunnel));
    assert!(!format!("{spec:?}").contains(KEY));
    let in_argv = |r: &Resource| matches!(r, Resource::Process(p) if p.argv.iter().any(|word| word.contains(KEY)));
    assert!(!spec.resources.iter().any(in_argv));
}
