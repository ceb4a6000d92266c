//! Clusters to look at: an empty one, the small one of the design, and a big one in trouble.
#![allow(dead_code)] // each test binary uses some of it

use std::net::Ipv4Addr;

use jiff::{SignedDuration, Timestamp};
use landbridge::view::{
    ClusterView, DeployStep, FrontEndView, HostKind, HostState, HostView, ServiceState, ServiceView, TimelineView,
    TriedHost, TunnelView, UplinkKind, VlanView, WorkerState, WorkerView,
};
use landbridge_node::wire::{Failure, Outcome, Stage, StageReport, Via};

pub(crate) fn now() -> Timestamp {
    "2026-03-14T09:26:53Z".parse().expect("a time")
}

fn before(secs: i64) -> Timestamp {
    now() - SignedDuration::from_secs(secs)
}

fn service(name: &str, detail: &str) -> ServiceView {
    ServiceView { name: name.into(), detail: detail.into(), state: ServiceState::Up, failure: None }
}

fn front_end() -> FrontEndView {
    FrontEndView {
        name: "frontend".into(),
        address: Ipv4Addr::new(10, 77, 0, 1),
        public: Ipv4Addr::new(198, 51, 100, 1),
        underlay: Ipv4Addr::new(192, 0, 2, 10),
        bridge: "lbbr-ursa".into(),
        up: true,
        since: before(11_520),
        services: vec![service("NFS", "/home"), service("NIS", "ursa.vlan"), service("queue", "Grid Engine")],
        tunnels: vec![TunnelView {
            tap: "lbt0-ursa".into(),
            protocol: "UDP".into(),
            port: 1194,
            state: ServiceState::Up,
            clients: 0,
        }],
    }
}

pub(crate) fn empty() -> ClusterView {
    ClusterView {
        now: now(),
        cluster: "ursa".into(),
        front_end: front_end(),
        vlan: VlanView {
            subnet: "10.77.0.0/16".parse().expect("a subnet"),
            workers: "10.77.1.0/24".parse().expect("a subnet"),
            mtu: 1500,
            uplink: UplinkKind::Vxlan(77),
            leased: 0,
            quarantined: 0,
        },
        hosts: vec![],
        workers: vec![],
        attention: vec![],
    }
}

pub(crate) fn physical(id: u32, name: &str, workers: u32) -> HostView {
    HostView {
        id,
        name: name.into(),
        kind: HostKind::Physical,
        state: HostState::On,
        since: Some(before(11_400)),
        running_workers: workers,
        total_cpu: 800,
        free_cpu: 800 - workers * 100,
        allocated_cpu: workers * 100,
        total_memory: 8_387_584,
        free_memory: 8_387_584 - u64::from(workers) * 131_072,
        allocated_memory: u64::from(workers) * 131_072,
        idle_cpu: Some(798 - workers * 97),
        available_memory: Some(7_663_616 - u64::from(workers) * 131_072),
        underlay: Some(Ipv4Addr::new(192, 0, 2, 11 + u8::try_from(id % 200).expect("a byte"))),
        bridge: Some("lbbr-ursa".into()),
        detail: None,
        machines: None,
        failure: None,
    }
}

pub(crate) fn cloud(id: u32, name: &str, workers: u32) -> HostView {
    HostView {
        kind: HostKind::Cloud,
        total_cpu: 500,
        free_cpu: 500 - workers * 100,
        total_memory: 8_912_896,
        free_memory: 8_912_896 - u64::from(workers) * 1_782_579,
        allocated_memory: u64::from(workers) * 1_782_579,
        idle_cpu: None,
        available_memory: None,
        underlay: None,
        bridge: None,
        detail: Some("us-east-1, at most 5 m1.small".into()),
        ..physical(id, name, workers)
    }
}

pub(crate) fn worker(id: u64, name: &str, host: &str, via: Via) -> WorkerView {
    let tunnelled = via == Via::Tunnel;
    let [high, low] = u16::try_from(256 + id).expect("a small id").to_be_bytes();
    WorkerView {
        id,
        name: name.into(),
        state: WorkerState::Ready,
        stage: None,
        failed_at: None,
        since: before(133),
        asked: before(140),
        cpu: 100,
        memory: if tunnelled { 1_782_579 } else { 131_072 },
        host: Some(host.into()),
        address: Some(Ipv4Addr::new(10, 77, high, low)),
        via: Some(via),
        jobs: Some(1),
        machine: Some(if tunnelled { format!("i-0abc{id:04}") } else { format!("landbridge-{name}") }),
        failure: None,
        console: None,
        tried: vec![],
        boot: vec![],
        timeline: Some(joined()),
    }
}

/// A worker that we gave a machine, after a host that had no room.
pub(crate) fn booted() -> WorkerView {
    let boot = [("prepare", 132), ("accept", 29), ("start", 2130), ("boot", 78)];
    let tried = TriedHost { host: "ursa01".into(), why: "no memory left".into() };
    WorkerView {
        tried: vec![tried],
        boot: boot.map(|(step, took_ms)| DeployStep { step: step.into(), took_ms }).to_vec(),
        ..worker(4, "w4", "ursa02", Via::Bridge)
    }
}

const TOOK: [u64; 9] = [12, 81, 163, 24, 31, 118, 93, 240, 660];

/// A join in which every stage passed.
pub(crate) fn joined() -> TimelineView {
    let mut at = 0;
    let stages = Stage::ALL.into_iter().zip(TOOK).map(|(stage, took_ms)| {
        let report = StageReport { stage, outcome: Outcome::Passed, started_ms: at, took_ms };
        at += took_ms;
        report
    });
    TimelineView { started: before(138), stages: stages.collect(), running: None }
}

/// A join that the NFS server refused.
pub(crate) fn refused() -> TimelineView {
    let mut timeline = joined();
    timeline.stages.truncate(6);
    let last = timeline.stages.last_mut().expect("the nfs stage");
    last.took_ms = 5000;
    last.outcome = Outcome::Failed(Failure {
        expected: "10.77.0.1:/home to be mounted within 5 s".into(),
        seen: "mount.nfs4: access denied by server".into(),
        remedy: "run `landbridge status` on the front-end: NFS has to be up and to export /home to 10.77.0.0/16".into(),
    });
    timeline
}

/// A join in a cluster without NIS, with the queue stage under way.
pub(crate) fn under_way() -> TimelineView {
    let mut timeline = joined();
    timeline.stages.truncate(7);
    timeline.stages[6].outcome = Outcome::NotNeeded;
    timeline.running = Some(Stage::Queue);
    timeline.started = before(3);
    timeline
}

/// The picture of the design: three local workers on two hosts, two in a cloud.
pub(crate) fn small() -> ClusterView {
    let mut view = empty();
    view.hosts = vec![physical(0, "ursa01", 2), physical(1, "ursa02", 1), cloud(2, "ec2", 2)];
    view.workers = vec![
        worker(1, "w1", "ursa01", Via::Bridge),
        worker(2, "w2", "ursa01", Via::Bridge),
        worker(3, "w3", "ursa02", Via::Bridge),
        worker(4, "e1", "ec2", Via::Tunnel),
        worker(5, "e2", "ec2", Via::Tunnel),
    ];
    view.workers[4].state = WorkerState::Joining;
    view.workers[4].stage = Some(Stage::Queue);
    view.workers[4].timeline = Some(under_way());
    view.vlan.leased = 5;
    view.front_end.tunnels[0].clients = 2;
    view
}

/// Eight hosts, two clouds, two hundred workers, long names, and trouble of every kind.
pub(crate) fn big() -> ClusterView {
    let mut view = small();
    view.vlan = VlanView { uplink: UplinkKind::Vlan(77, "enp3s0f0".into()), leased: 200, quarantined: 3, ..view.vlan };
    view.hosts = (0..7).map(|n| physical(n, &format!("ursa{:02}", n + 1), 8)).collect();
    view.hosts.push(physical(7, "a-host-with-a-name-longer-than-anyone-would-want", 4));
    view.hosts.extend([cloud(8, "ec2-east", 5), cloud(9, "ec2-frankfurt-overflow", 5)]);
    view.hosts[2].state = HostState::Silent;
    view.hosts[2].failure = Some("last heard of 4m12s ago".into());
    view.hosts[5].state = HostState::Error;
    view.hosts[5].failure = Some("no NIC is called enp3s0f0".into());
    let states = [WorkerState::Ready, WorkerState::Joining, WorkerState::Draining, WorkerState::Booting];
    let hosts = ["ursa01", "ursa02", "ursa03", "ursa05", "ursa07", "ec2-east", "ec2-frankfurt-overflow"];
    view.workers = (1..=200)
        .map(|id| {
            let host = hosts[usize::try_from(id * id % 61 % 7).expect("small")];
            let via = if host.starts_with("ec2") { Via::Tunnel } else { Via::Bridge };
            let mut one = worker(id, &format!("w{id}"), host, via);
            one.state = if id % 9 == 0 { states[usize::try_from(id % 4).expect("small")] } else { WorkerState::Ready };
            one.stage = (one.state == WorkerState::Joining).then_some(Stage::Mtu);
            one
        })
        .collect();
    let failed = &mut view.workers[3];
    (failed.state, failed.stage, failed.timeline) = (WorkerState::Failed, Some(Stage::Nfs), Some(refused()));
    view.workers[5].name = "genome-assembly-large-memory-0001".into();
    view.workers[7].state = WorkerState::Lost;
    view.workers[8].host = None;
    view.front_end.services[1].state = ServiceState::Down;
    view.front_end.services[1].failure = Some("ypserv ended with status 1".into());
    view.front_end.tunnels[0].clients = 56;
    view.attention = vec![
        "host ursa03 has been silent for 4m12s: see `journalctl -u landbridge-node` there".into(),
        "host ursa06: no NIC is called enp3s0f0; name an existing one in cluster.toml".into(),
        "worker w4 failed at nfs: see `landbridge worker show w4`".into(),
    ];
    view
}
