//! The address on the vLAN, the machine's name for it, and the front-end's answer.

use std::io;

use landbridge_fabric::{HostRoutes, InterfaceName};
use tokio::time::{Duration, Instant, sleep};

use super::worker::Worker;
use crate::icmp::{Echo, Pinger};
use crate::machine::{Block, MachineSpec};
use crate::nic;
use crate::wire::{Bundle, Failure, LinkBundle};
use crate::words;

/// A small packet: what ping(8) sends.
pub(super) const SMALL: u32 = 84;

/// The names of the front-end and of this machine. They stand first: Debian's own line for the host name says 127.0.1.1,
/// which the queue would refuse.
pub fn resources(worker: &Worker) -> MachineSpec {
    let Bundle { front_end, address, .. } = &worker.bundle;
    let text = format!("{} {}\n{} {}\n", front_end.address, front_end.name, address.ip(), worker.name);
    let mut spec = MachineSpec::default();
    spec.push(Block { path: "/etc/hosts".into(), name: "vlan".into(), text, first: true, replaces: Vec::new() });
    spec
}

/// The front-end answers over the vLAN.
pub async fn prove(worker: &Worker, until: Instant) -> Result<(), Failure> {
    let front_end = worker.bundle.front_end.address;
    let mut pinger = Pinger::new(front_end, false).map_err(|e| words::local("a socket for ICMP", &e))?;
    match pinger.ping(SMALL, until).await {
        Ok(Echo::Answered) => Ok(()),
        Ok(_) => Err(Failure {
            expected: format!("an answer to a ping from the front-end ({front_end}) over the vLAN"),
            seen: format!("none: {}", way(&worker.bundle.link)),
            remedy: "see landbridge status on the front-end: its bridge, and the port on this side of it".into(),
        }),
        Err(error) => Err(words::local("a ping to the front-end", &error)),
    }
}

fn way(link: &LinkBundle) -> &'static str {
    match link {
        LinkBundle::Tunnel { .. } => "the tunnel is up, but nothing comes back through it",
        LinkBundle::Bridge => "the NIC has its address, but nothing comes back: is it on the vLAN's bridge?",
    }
}

/// Behind a tunnel even the question who has an address takes a round trip, and everything would wait for the answer.
pub(super) async fn introduce_front_end(worker: &Worker) {
    let LinkBundle::Tunnel { device, mac: Some(mac), config, .. } = &worker.bundle.link else { return };
    if !is_known(device, config) {
        return;
    }
    let introduced = async {
        HostRoutes::open()?.introduce(device, worker.bundle.front_end.address, *mac).await.map_err(io::Error::other)
    };
    if let Err(error) = introduced.await {
        tracing::debug!(%error, "the front-end is asked for its hardware address");
    }
}

/// Whether the tap has the hardware address that the front-end was told. systemd's udev may give a new tap another one, at the moment
/// at which OpenVPN gives it ours: then the question for the front-end's address tells it which.
fn is_known(device: &InterfaceName, config: &str) -> bool {
    let told = config.lines().find_map(|line| line.strip_prefix("lladdr ")).and_then(nic::mac_of);
    told.is_some() && nic::mac(device) == told
}

/// Waits until the address is on the link.
pub(super) async fn awaited(worker: &Worker, until: Instant) -> Result<(), Failure> {
    let wanted = worker.bundle.address;
    let Some(device) = worker.device() else { return Ok(()) };
    loop {
        let seen = nic::addresses(device);
        if seen.contains(&wanted) {
            return Ok(());
        }
        if Instant::now() >= until {
            let seen: Vec<String> = seen.iter().map(ToString::to_string).collect();
            return Err(Failure {
                expected: format!("the address {wanted} on {device}"),
                seen: if seen.is_empty() { "no address there".into() } else { seen.join(", ") },
                remedy: "landbridge-node leave, then join with a new token".into(),
            });
        }
        // Asked again rather than listened for: OpenVPN sets it just before it says that it is ready.
        sleep(Duration::from_millis(5)).await;
    }
}
