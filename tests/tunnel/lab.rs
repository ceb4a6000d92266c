//! A front-end with a bridge and an OpenVPN server, and workers with a stock client, on a shared outside network.

use std::fs::{self, DirBuilder, OpenOptions};
use std::future::Future;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use landbridge::naming;
use landbridge::paths::Paths;
use landbridge::spec::{self, Cluster, ClusterName, Transport, Tunnels};
use landbridge::tunnel::management::{Management, Session};
use landbridge::tunnel::{self, Files, ServerIdentity, ccd, crypt_v2};
use landbridge_node::machine::{Process, Resource};
use landbridge_node::path::SendRoom;
use landbridge_pki::authority::{CertificateSpec, Issued, Revocation};
use landbridge_pki::{Authority, KeyPair, NodeName, Role};
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;

use super::netns::{Netns, Program};

/// What openvpn says once it serves, or is connected.
pub(crate) const READY: &str = "Initialization Sequence Completed";

/// The front-end's address on the vLAN.
pub(crate) const FRONT_END: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

pub(crate) struct Lab {
    pub(crate) front_end: Netns,
    pub(crate) files: Files,
    paths: Paths,
    cluster: Cluster,
    authority: Authority,
    directory: TempDir,
}

/// A machine outside with a certificate of ours.
pub(crate) struct Worker {
    pub(crate) netns: Netns,
    pub(crate) name: NodeName,
    pub(crate) address: Ipv4Addr,
    pub(crate) serial: String,
    pub(crate) config: PathBuf,
}

impl Lab {
    /// Everything but the running server: one, over UDP.
    pub(crate) fn new() -> Self {
        Self::with(Tunnels { transport: Transport::Udp, servers: Some(1), mtu: None })
    }

    /// Everything but the running servers.
    pub(crate) fn with(tunnels: Tunnels) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name| directory.path().join(name);
        let paths = Paths { config: at("config"), state: at("state"), run: at("run"), log: at("log") };
        let mut cluster = spec::example(ClusterName::new("ursa").expect("a name"));
        cluster.tunnel = tunnels;
        let passphrase = SecretString::from("correct horse battery staple");
        fs::create_dir(&paths.state).expect("a directory");
        let authority = Authority::create(&paths.pki(), cluster.name.as_str(), &passphrase, Timestamp::now());
        let mut lab = Self {
            front_end: Netns::new(),
            files: Files::new(&paths),
            paths,
            cluster,
            authority: authority.expect("an authority"),
            directory,
        };
        lab.make_network();
        lab.make_files();
        lab
    }

    fn make_network(&self) {
        let bridge = naming::bridge(&self.cluster.name);
        for command in [
            "link add name wan type bridge",
            "address add 198.51.100.1/24 dev wan",
            "link set dev wan up",
            &format!("link add name {bridge} type bridge"),
            &format!("address add {FRONT_END}/16 dev {bridge}"),
            &format!("link set dev {bridge} up"),
        ] {
            self.front_end.ip(command);
        }
        for tap in tunnel::servers(&self.cluster).iter().map(|server| server.tap(&self.cluster)) {
            self.front_end.ip(&format!("tuntap add name {tap} mode tap"));
            self.front_end.ip(&format!("link set dev {tap} up master {bridge}"));
        }
    }

    /// What applying the resources does, then the keys.
    fn make_files(&mut self) {
        for resource in tunnel::resources(&self.cluster, &self.paths, SendRoom::look()).resources {
            match resource {
                Resource::Directory(d) => {
                    DirBuilder::new().recursive(true).mode(d.mode).create(d.path).expect("a directory");
                }
                Resource::File(file) => write(&file.path, file.content.reveal(), file.mode),
                // A namespace goes by the machine around it.
                Resource::Process(_) | Resource::Sysctl(_) => {}
                other => panic!("nobody expects {other:?} of the tunnel"),
            }
        }
        let name = self.cluster.front_end.name.clone();
        let (key, issued) = self.identity(&name, Role::FrontEnd);
        let identity = ServerIdentity {
            certificate_pem: &issued.pem,
            key_pem: key.expose_secret(),
            trust_pem: &self.authority.register().trust_pem(),
        };
        assert!(tunnel::install_identity(&self.files, identity).expect("an identity"));
        assert!(crypt_v2::ensure_server_key(&self.files.crypt_v2()).expect("a key"));
    }

    fn identity(&mut self, name: &NodeName, role: Role) -> (SecretString, Issued) {
        let key = KeyPair::generate().expect("a key");
        let spec = CertificateSpec::new(name.clone(), role);
        let csr = key.csr_pem().expect("a request");
        let issued = self.authority.issue(&csr, &spec, Timestamp::now()).expect("a certificate");
        (key.to_pem(), issued)
    }

    /// The servers' processes, as the machine's engine gets them.
    fn processes(&self) -> Vec<Process> {
        let resources = tunnel::resources(&self.cluster, &self.paths, SendRoom::look()).resources;
        resources.into_iter().filter_map(|r| if let Resource::Process(p) = r { Some(p) } else { None }).collect()
    }

    /// Starts the first server; returns once it serves.
    pub(crate) fn serve(&self) -> Program {
        self.serve_nth(0)
    }

    /// Starts one server; returns once it serves.
    pub(crate) fn serve_nth(&self, n: usize) -> Program {
        let server = self.front_end.spawn(self.processes().swap_remove(n).argv);
        server.wait_for(READY);
        server
    }

    /// Worker `wN` with its own network, its certificate and its configuration; not admitted yet.
    pub(crate) fn worker(&mut self, n: u8) -> Worker {
        self.machine(n, Role::Worker)
    }

    /// The same with a certificate for any role.
    pub(crate) fn machine(&mut self, n: u8, role: Role) -> Worker {
        let netns = Netns::new();
        self.front_end.link(&format!("wan{n}"), &netns, "eth0");
        self.front_end.ip(&format!("link set dev wan{n} up master wan"));
        netns.ip(&format!("address add 198.51.100.{}/24 dev eth0", 10 + n));
        netns.ip("link set dev eth0 up");
        let (name, address) = (worker_name(n), Ipv4Addr::new(10, 77, 1, n));
        let (config, serial) = self.client_config(&name, address, role);
        Worker { netns, name, address, serial, config }
    }

    /// A whole configuration for a stock client, in a file; and its certificate's serial.
    pub(crate) fn client_config(&mut self, name: &NodeName, address: Ipv4Addr, role: Role) -> (PathBuf, String) {
        let (key, issued) = self.identity(name, role);
        let wrapped = crypt_v2::client_key(&self.files.crypt_v2()).expect("a key");
        let trust = self.authority.register().trust_pem();
        let text = tunnel::client_config(&self.cluster, name, address, &issued.pem, &trust, &wrapped);
        let path = self.directory.path().join(format!("{name}-{}.conf", issued.facts.serial));
        write(&path, &format!("{text}<key>\n{}</key>\n", key.expose_secret()), 0o600);
        (path, issued.facts.serial.to_string())
    }

    pub(crate) fn admit(&self, name: &NodeName, address: Ipv4Addr) {
        let mask = self.cluster.vlan.subnet.mask();
        assert!(ccd::admit(&self.files.ccd(), name, address, mask).expect("the directory is there"));
    }

    pub(crate) fn revoke(&mut self, name: &NodeName) {
        let revoked = self.authority.register_mut().revoke(&Revocation::Name(name.clone()), Timestamp::now());
        assert_eq!(revoked.expect("a known name").len(), 1);
    }

    pub(crate) fn cut(&self, name: &NodeName) -> usize {
        wait(tunnel::cut(&self.paths, name)).expect("the server answers")
    }

    /// The sessions with the first server.
    pub(crate) fn sessions(&self) -> Vec<Session> {
        self.sessions_with(0)
    }

    pub(crate) fn sessions_with(&self, n: u8) -> Vec<Session> {
        wait(async { self.management_of(n).await.sessions().await }).expect("the server answers")
    }

    pub(crate) async fn management(&self) -> Management {
        self.management_of(0).await
    }

    async fn management_of(&self, n: u8) -> Management {
        let connected = Management::connect(&self.files.socket(n), Duration::from_secs(5)).await;
        connected.expect("the server listens")
    }
}

impl Worker {
    /// Starts a stock client.
    pub(crate) fn dial(&self) -> Program {
        self.netns.spawn(vec!["openvpn".into(), "--config".into(), self.config.to_string_lossy().into_owned()])
    }

    /// Starts a stock client; returns once it is connected.
    pub(crate) fn connect(&self) -> Program {
        let client = self.dial();
        client.wait_for(READY);
        client
    }

    /// Panics unless `to` answers a packet of `size` bytes, headers included, that the vLAN must not fragment.
    pub(crate) fn ping(&self, to: Ipv4Addr, size: u16) {
        let (answered, said) = self.netns.output(&format!("ping -c 1 -w 5 -M do -s {} {to}", size - 28));
        assert!(answered, "{} doesn't reach {to}: {said}", self.name);
    }
}

pub(crate) fn worker_name(n: u8) -> NodeName {
    NodeName::new(format!("w{n}")).expect("a name")
}

/// Waits for a future in a runtime of its own.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn write(path: &Path, text: &str, mode: u32) {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).expect("a file");
}
