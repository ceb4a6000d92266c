//! The link to the vLAN: an OpenVPN tunnel, or a NIC on a physical host's bridge.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;

use ipnetwork::Ipv4Network;
use landbridge_fabric::{InterfaceName, LinkKind, LinkSpec, Mtu, Network, Owner};
use secrecy::ExposeSecret as _;

use super::tunnel_log::{self, Verdict};
use super::worker::Worker;
use crate::logs;
use crate::machine::{Children, File, Machine, MachineSpec, Process, Readiness, Watch};
use crate::path::{self, SendRoom};
use crate::wire::{Failure, LinkBundle};
use crate::{udev, words};

/// OpenVPN's process, and the name of its log.
const OPENVPN: &str = "openvpn";
/// From start to tunnel: two servers that don't answer (4 s each, and a pause), then some round trips with two of OpenVPN's
/// own repetitions (2 s, 4 s) on a lossy path.
const TUNNEL_DEADLINE: Duration = Duration::from_secs(25);
/// What OpenVPN says when the tap has its address.
const TUNNEL_READY: &str = "Initialization Sequence Completed";

/// Whose links a node's are: the node's own, whatever cluster it is in.
pub fn owner() -> Owner {
    Owner("node".into())
}

/// The tunnel's file and process, or the NIC's address; and word of the logs that begin here.
pub fn resources(worker: &Worker) -> MachineSpec {
    let mut spec = MachineSpec::default();
    if worker.rotates_logs {
        spec.extend(logs::rotation("landbridge-node", &worker.paths.log));
    }
    match &worker.bundle.link {
        LinkBundle::Tunnel { config, device, .. } => {
            if worker.has_udev {
                spec.extend(udev::leave_alone(device));
            }
            let path = worker.paths.tunnel_config();
            let text = tunnel_config(config, &worker.certificate_pem, worker.key_pem.expose_secret(), SendRoom::look());
            if is_over_tcp(config) {
                spec.push(SendRoom::sysctl());
            }
            spec.push(File::secret(&path, text)).push(openvpn(&path));
        }
        LinkBundle::Bridge => {
            if let Some(nic) = &worker.attachment.nic {
                spec.push(nic_network(nic, worker.bundle.address, worker.bundle.mtu));
            }
        }
    }
    spec
}

/// Waits until OpenVPN, which is about to be started, has called its server, and leaves the processor to others; for a NIC there is
/// nothing to wait for. May end early, and in vain: nothing but time hangs on it.
pub fn under_way(worker: &Worker) -> impl Future<Output = ()> + use<> {
    let tunnel = matches!(worker.bundle.link, LinkBundle::Tunnel { .. });
    let log = worker.paths.log.join("openvpn.log");
    let behind = std::fs::metadata(&log).map_or(0, |log| log.len());
    async move {
        if tunnel {
            let _ = called(&log, behind).await;
        }
    }
}

async fn called(log: &Path, behind: u64) -> io::Result<()> {
    let watch = Watch::of(log)?;
    let mut file = std::fs::File::open(log)?;
    file.seek(SeekFrom::Start(behind))?;
    let mut said = String::new();
    loop {
        file.read_to_string(&mut said)?;
        if tunnel_log::has_called(&said) {
            return Ok(());
        }
        watch.changed().await?;
    }
}

/// The tunnel's connection, each time it is a new one, goes by BBR.
pub fn favour_bbr(machine: &Machine, worker: &Worker) {
    if matches!(worker.bundle.link, LinkBundle::Tunnel { .. }) {
        path::favour_bbr(machine, OPENVPN);
    }
}

/// A NIC that is there already, with the address and MTU that the vLAN gives it.
pub fn nic_network(nic: &InterfaceName, address: Ipv4Network, mtu: Mtu) -> Network {
    let link = LinkSpec { kind: LinkKind::Existing, mtu, controller: None, addresses: BTreeSet::from([address]) };
    Network { owner: owner(), links: BTreeMap::from([(nic.clone(), link)]) }
}

fn openvpn(config: &Path) -> Process {
    let config = config.display().to_string();
    Process {
        name: OPENVPN.into(),
        argv: vec![OPENVPN.into(), "--config".into(), config.clone()],
        env: Vec::new(),
        restart_on: vec![config.into()],
        reload_on: Vec::new(),
        ready: Readiness::Log(TUNNEL_READY.into()),
        deadline: TUNNEL_DEADLINE,
        grace: Process::GRACE,
        children: Children::End,
        starts_as_batch: false,
    }
}

/// Whether a tunnel begins over TCP, if not all of it.
pub(super) fn is_over_tcp(config: &str) -> bool {
    config.lines().any(|line| line.starts_with("remote ") && line.ends_with("tcp4-client"))
}

/// The front-end's text with this machine's certificate and key in it, and its own buffer, before the first connection. A
/// certificate in the text is replaced: after a renewal ours is the newer one.
fn tunnel_config(config: &str, certificate_pem: &str, key_pem: &str, room: SendRoom) -> String {
    let buffer = room.buffer().filter(|_| is_over_tcp(config));
    let mut text = buffer.map(|bytes| format!("sndbuf {bytes}\n")).unwrap_or_default();
    text += &without_block(&without_block(config, "cert"), "key");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    for (tag, pem) in [("cert", certificate_pem), ("key", key_pem)] {
        text.extend(["<", tag, ">\n", pem.trim_end(), "\n</", tag, ">\n"]);
    }
    text
}

fn without_block(config: &str, tag: &str) -> String {
    let (begin, end) = (format!("<{tag}>"), format!("</{tag}>"));
    let mut inside = false;
    let mut text = String::new();
    for line in config.lines() {
        inside |= line.trim() == begin;
        if !inside {
            text.extend([line, "\n"]);
        }
        inside &= line.trim() != end;
    }
    text
}

/// Why there is no link, in plain words: for a tunnel OpenVPN's log knows more than the error.
pub fn explain(worker: &Worker, error: &(dyn std::error::Error + 'static)) -> Failure {
    let LinkBundle::Tunnel { config, .. } = &worker.bundle.link else {
        let nic = worker.attachment.nic.as_ref().map_or("the NIC", InterfaceName::as_str);
        return Failure {
            expected: format!("{nic} with the address {}", worker.bundle.address),
            seen: words::chain(error),
            remedy: format!("name the NIC on the vLAN's bridge: --dev, see ip link; {nic} was left as it was"),
        };
    };
    if words::is_missing_program(error) {
        return words::missing_program("the tunnel", OPENVPN, OPENVPN);
    }
    let log = std::fs::read_to_string(worker.paths.log.join("openvpn.log")).unwrap_or_default();
    let remote = tunnel_log::remote(config);
    match tunnel_log::judge(&log) {
        Verdict::Unclear => Failure {
            expected: format!("a tunnel to {remote}"),
            seen: words::chain(error),
            remedy: format!("see {}", worker.paths.log.join("openvpn.log").display()),
        },
        verdict => verdict.failure(&remote),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_certificate_in_the_text_gives_way_to_ours() {
        let text = "client\n<cert>\nOLD\n</cert>\n<ca>\nCA\n</ca>";
        assert_eq!(
            tunnel_config(text, "NEW\n", "KEY\n", SendRoom::of(4 << 20)),
            "client\n<ca>\nCA\n</ca>\n<cert>\nNEW\n</cert>\n<key>\nKEY\n</key>\n"
        );
    }

    #[test]
    fn tls_crypt_v2_is_no_key_block() {
        let text = "<tls-crypt-v2>\nT\n</tls-crypt-v2>\n";
        assert!(tunnel_config(text, "C", "K", SendRoom::of(0)).starts_with(text));
    }

    #[test]
    fn a_tunnel_over_tcp_has_a_large_buffer_where_the_kernel_allows_one() {
        let text = "dev lbw-ursa\n<connection>\nremote 198.51.100.1 1194 tcp4-client\n</connection>\n";
        let begins = |limit| tunnel_config(text, "C", "K", SendRoom::of(limit)).lines().next().map(str::to_owned);
        assert_eq!(begins(4 << 20).as_deref(), Some("sndbuf 2097152"));
        assert_eq!(begins(212_992).as_deref(), Some("dev lbw-ursa"));
    }
}
