//! A server process: its configuration, and what the machine needs for it to run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use landbridge_node::machine::{Children, Directory, File, Machine, MachineSpec, Process, Readiness};
use landbridge_node::path::{self, SendRoom};

use super::files::Files;
use super::render::{self, Config};
use super::{OPENVPN, Protocol, Server, servers};
use crate::paths::Paths;
use crate::spec::Cluster;

/// MAC addresses that one worker may use. It needs one; a few more leave room for containers of its own, and a flood of
/// invented ones fills its own share of the table and no other's.
const MACS_PER_WORKER: u32 = 16;

/// The configuration of a server process, complete: the program needs nothing else on its command line.
///
/// Beside what both ends share (`render::common`):
///
/// | directive | why |
/// |---|---|
/// | `dev lbtN-CLUSTER` | a persistent tap that the fabric made and put on the bridge; no `ifconfig` stands here, so openvpn neither gives it an address nor brings it up |
/// | `mode server`, not `server` or `server-bridge` | those are macros that add an address pool; ours come from the ccd files |
/// | `proto`, `lport`, `multihome` | on every address, for the public one may belong to a NAT in front; over UDP, answers leave from the address that was asked |
/// | `dh none` | elliptic curves only |
/// | `tls-crypt-v2` | without a key of this cluster nobody gets as far as TLS, or any answer at all |
/// | `verify-client-cert require`, `remote-cert-tls client` | a certificate of ours with clientAuth and its key usage: the front-end's own can't be used to dial in |
/// | `crl-verify DIR dir` | revoked serials as file names; looked up at each handshake, and nothing in it expires (a CRL file locks everybody out once it has) |
/// | `client-config-dir`, `ccd-exclusive` | who has no file is refused; read anew at each connection |
/// | no `duplicate-cn` | one session a worker: a second one replaces the first, so a rebooted worker needn't wait for its ghost |
/// | `client-to-client` | a bridge sends no frame back through the port by which it came: workers behind one tap would not hear each other |
/// | `keepalive 5 20` | pushed: a worker gives a silent server up after 20 s; the server a silent worker after 40 s |
/// | `connect-freq-initial` | OpenVPN answers 100 first packets in 10 s by default, less than a cluster's workers starting at once. The limit is against reflection, and who has no tls-crypt-v2 key gets no answer to reflect. `connect-freq` has no limit by default |
/// | `max-clients` | 1,024 by default; here twice the leases, for half-open handshakes count too |
/// | `max-routes-per-client 16` | learned MACs: 256 by default, a worker needs one |
/// | `management … unix`, `management-client-user root` | openvpn makes the socket with mode 0777: the peer's user is checked, and its directory is 0700 |
/// | `script-security 0` | no program is ever called; no plugins either |
/// | no `user`, `group` | see below |
/// | no `daemon`, `log`, `writepid`, `status` | in the foreground, to standard output; status over the management socket |
///
/// `user nobody` is the usual advice, and wrong here. With `crl-verify DIR dir`, a serial counts as revoked when its file
/// can be opened: a process that has lost the right to enter the state directory (0700) would find every certificate
/// good, and say nothing. So it stays root in name, but without root's powers: it is started with `CAP_NET_ADMIN` alone
/// (for the tap and the buffers), which it can't regain (`no_new_privs`, an empty bounding set).
pub fn server_config(cluster: &Cluster, paths: &Paths, server: &Server, room: SendRoom) -> String {
    let files = Files::new(paths);
    let mut config = Config::default();
    config
        .remark(&format!(
            "OpenVPN server {} of the cluster {}. Written by landbridge: changes are overwritten.",
            server.n, cluster.name
        ))
        .line("mode server")
        .line("tls-server")
        .line(format_args!("dev {}", server.tap(cluster)))
        .line("dev-type tap");
    match server.protocol {
        Protocol::Udp => config.line("proto udp4").line("multihome"),
        Protocol::Tcp => config.line("proto tcp4-server"),
    };
    config.line(format_args!("lport {}", server.port));
    keys(&mut config, &files);
    workers(&mut config, cluster, &files);
    render::common(&mut config, cluster);
    match server.protocol {
        Protocol::Udp => {
            render::udp_buffers(&mut config);
            render::udp(&mut config, cluster);
        }
        Protocol::Tcp => {
            render::tcp(&mut config);
            if let Some(bytes) = room.buffer() {
                config.line(format_args!("sndbuf {bytes}"));
            }
        }
    }
    config
        .remark("The control plane asks here, and may be away for as long as it likes.")
        .file("management", &files.socket(server.n), "unix")
        .line("management-client-user root")
        .line("script-security 0")
        .line("verb 3");
    config.finish()
}

fn keys(config: &mut Config, files: &Files) {
    config
        .remark("Who we are.")
        .file("ca", &files.trust(), "")
        .file("cert", &files.certificate(), "")
        .file("key", &files.key(), "")
        .line("dh none")
        .file("tls-crypt-v2", &files.crypt_v2(), "");
}

fn workers(config: &mut Config, cluster: &Cluster, files: &Files) {
    config
        .remark("Who may come.")
        .line("verify-client-cert require")
        .line("remote-cert-tls client")
        .file("crl-verify", files.revoked(), "dir")
        .file("client-config-dir", &files.ccd(), "")
        .line("ccd-exclusive")
        .remark("How they stay.")
        .line("client-to-client")
        .line("keepalive 5 20")
        .line("connect-freq-initial 10000 10")
        .line(format_args!("max-clients {}", max_clients(cluster)))
        .line(format_args!("max-routes-per-client {MACS_PER_WORKER}"));
}

/// Room for every lease and as many handshakes, within what a process can hold.
fn max_clients(cluster: &Cluster) -> u32 {
    cluster.vlan.workers.size().saturating_mul(2).clamp(1024, 1 << 16)
}

/// What the front-end needs for all server processes to run.
///
/// The keys are not in it: before it is applied, [`super::install_identity`] and [`super::crypt_v2::ensure_server_key`] must
/// have put them where the configuration says, and the authority must have made its directory of revoked serials. A
/// server is restarted when its configuration or a key has changed, and for no other reason: in particular not because
/// the daemon was. Admitting and revoking change directories that it reads by itself.
pub fn resources(cluster: &Cluster, paths: &Paths, room: SendRoom) -> MachineSpec {
    let files = Files::new(paths);
    let mut spec = MachineSpec::default();
    for directory in [files.directory().to_owned(), files.ccd(), files.client_keys(), files.sockets().to_owned()] {
        spec.push(private(directory));
    }
    if servers(cluster).iter().any(|server| server.protocol == Protocol::Tcp) {
        spec.push(SendRoom::sysctl());
    }
    for server in servers(cluster) {
        spec.push(File::open(files.config(server.n), server_config(cluster, paths, &server, room)));
        spec.push(process(&files, server));
    }
    spec
}

/// The connections of the servers over TCP, those to come included, go by BBR.
pub fn favour_bbr(cluster: &Cluster, machine: &Machine) {
    for server in servers(cluster).iter().filter(|server| server.protocol == Protocol::Tcp) {
        path::favour_bbr(machine, &process_name(server.n));
    }
}

fn process_name(n: u8) -> String {
    format!("openvpn-{n}")
}

fn private(path: PathBuf) -> Directory {
    Directory { path, mode: 0o700, owner: None }
}

fn process(files: &Files, server: Server) -> Process {
    let n = server.n;
    Process {
        name: process_name(n),
        argv: argv(server.port, &files.config(n)),
        env: Vec::new(),
        restart_on: vec![files.config(n), files.certificate(), files.key(), files.trust(), files.crypt_v2()],
        reload_on: Vec::new(),
        ready: Readiness::Unix(files.socket(n)),
        deadline: Duration::from_secs(10),
        grace: Process::GRACE,
        children: Children::End,
        starts_as_batch: false,
    }
}

/// The program with the capabilities it needs and none else. `setpriv` replaces itself by it: one process, one id.
fn argv(port: u16, config: &Path) -> Vec<String> {
    let bind = if port < 1024 { ",+net_bind_service" } else { "" };
    vec![
        "/usr/bin/setpriv".into(),
        "--no-new-privs".into(),
        format!("--bounding-set=-all,+net_admin{bind}"),
        OPENVPN.into(),
        "--config".into(),
        config.to_string_lossy().into_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use landbridge_node::machine::Resource;

    use super::*;
    use crate::tunnel::fixture;

    fn lines(n: usize) -> String {
        let cluster = fixture::cluster();
        server_config(&cluster, &Paths::default(), &servers(&cluster)[n], SendRoom::of(4 << 20))
    }

    fn changed(from: usize, to: usize) -> String {
        let (from, to) = (lines(from), lines(to));
        to.lines().filter(|line| !from.lines().any(|other| other == *line)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_configuration_is_this() {
        insta::assert_snapshot!("server", lines(0));
    }

    #[test]
    fn a_second_server_differs_in_its_tap_its_port_and_its_socket_only() {
        insta::assert_snapshot!(changed(0, 1), @r#"
        # OpenVPN server 1 of the cluster ursa. Written by landbridge: changes are overwritten.
        dev lbt1-ursa
        lport 1195
        management "/run/landbridge/tunnel/1.sock" unix
        "#);
    }

    #[test]
    fn what_udp_has_of_its_own() {
        insta::assert_snapshot!(changed(0, 2));
    }

    #[test]
    fn a_thousand_workers_fit() {
        let mut cluster = fixture::cluster();
        cluster.vlan.workers = "10.77.4.0/22".parse().expect("a network");
        assert_eq!(max_clients(&cluster), 2048);
        cluster.vlan.workers = "10.77.1.0/30".parse().expect("a network");
        assert_eq!(max_clients(&cluster), 1024);
    }

    #[test]
    fn the_process_is_restarted_by_its_keys_and_configuration_and_never_reloaded() {
        let spec = resources(&fixture::cluster(), &Paths::default(), SendRoom::of(0));
        let processes: Vec<_> =
            spec.resources.iter().filter_map(|r| if let Resource::Process(p) = r { Some(p) } else { None }).collect();
        assert_eq!(processes.len(), 3);
        insta::assert_debug_snapshot!("process", processes[0]);
    }

    #[test]
    fn a_privileged_port_needs_one_more_capability() {
        assert!(argv(443, Path::new("/x")).contains(&"--bounding-set=-all,+net_admin,+net_bind_service".to_owned()));
    }
}
