//! What a machine should be, before it is started.

use std::path::PathBuf;

use ipnetwork::IpNetwork;

use crate::error::{LabError, LabResult};
use crate::init::{InitConfig, Role, Share};
use crate::lab::Lab;
use crate::machine::Machine;
use crate::net::Network;
use crate::net::config::{Hop, NetworkConfig, NicConfig, RouteConfig};
use crate::uml::Uml;

/// The wish for a machine of either kind.
#[derive(Clone, Default)]
pub(crate) struct Wish {
    pub(crate) name: String,
    pub(crate) nics: Vec<NicWish>,
    pub(crate) routes: Vec<(String, Hop)>,
    pub(crate) hosts: String,
    pub(crate) shares: Vec<Share>,
    pub(crate) volumes: Vec<PathBuf>,
}

#[derive(Clone)]
pub(crate) struct NicWish {
    pub(crate) name: String,
    pub(crate) network: Network,
    pub(crate) address: Option<String>,
}

impl Wish {
    pub(crate) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Addresses and routes, read from their texts.
    pub(crate) fn network_config(&self) -> LabResult<NetworkConfig> {
        let nics = self.nics.iter().map(|nic| self.nic_config(nic)).collect::<LabResult<_>>()?;
        let routes = self.routes.iter().map(|(to, hop)| self.route_config(to, hop)).collect::<LabResult<_>>()?;
        Ok(NetworkConfig { nics, routes })
    }

    fn nic_config(&self, nic: &NicWish) -> LabResult<NicConfig> {
        let addresses = nic.address.iter().map(|text| self.parse(text)).collect::<LabResult<_>>()?;
        Ok(NicConfig { device: None, name: nic.name.clone(), addresses, mtu: nic.network.mtu() })
    }

    fn route_config(&self, destination: &str, hop: &Hop) -> LabResult<RouteConfig> {
        let destination = if destination == "default" { "0.0.0.0/0" } else { destination };
        Ok(RouteConfig { destination: self.parse(destination)?, hop: hop.clone() })
    }

    fn parse(&self, text: &str) -> LabResult<IpNetwork> {
        let wrong =
            |err| LabError::Plan { message: format!("{}: {text} is no address with a prefix: {err}", self.name) };
        text.parse().map_err(wrong)
    }

    pub(crate) fn init_config(&self, lab: &Lab, role: Role, netns: Option<PathBuf>) -> InitConfig {
        let mut shares = vec![Share { from: lab.programs().to_owned(), to: "/opt/landbridge/bin".into() }];
        shares.extend(self.shares.iter().cloned());
        InitConfig {
            parent: std::process::id(),
            role,
            hostname: self.name.clone(),
            image: lab.image().directory().to_owned(),
            shares,
            volumes: self.volumes.clone(),
            hosts: self.hosts.clone(),
            netns,
        }
    }
}

/// Methods that both builders have.
macro_rules! common_wishes {
    () => {
        /// A network card on the network, with an address and its prefix (or `None`).
        pub fn nic<'a>(mut self, name: &str, network: &Network, address: impl Into<Option<&'a str>>) -> Self {
            let address = address.into().map(str::to_owned);
            self.wish.nics.push(NicWish { name: name.to_owned(), network: network.clone(), address });
            self
        }

        /// A route to the destination (or "default"), by way of a gateway's address or an interface's own segment.
        pub fn route(mut self, destination: &str, hop: impl Into<Hop>) -> Self {
            self.wish.routes.push((destination.to_owned(), hop.into()));
            self
        }

        /// A line for its /etc/hosts. If no line has its own name, that becomes 127.0.1.1, as Debian does.
        pub fn host_entry(mut self, address: &str, names: &str) -> Self {
            self.wish.hosts.push_str(&format!("{address}\t{names}\n"));
            self
        }

        /// Shows a directory of this machine inside, read-only.
        pub fn share(mut self, from: impl Into<PathBuf>, to: impl Into<PathBuf>) -> Self {
            self.wish.shares.push(Share { from: from.into(), to: to.into() });
            self
        }
    };
}

/// A machine of namespaces, to be started.
#[must_use = "a machine does not exist before it is started"]
pub struct MachineBuilder<'lab> {
    lab: &'lab Lab,
    wish: Wish,
}

impl<'lab> MachineBuilder<'lab> {
    /// /home and /srv are file systems of their own: an NFS server can export those, but not an overlay.
    pub(crate) fn new(lab: &'lab Lab, name: &str) -> Self {
        let volumes = vec!["/home".into(), "/srv".into()];
        Self { lab, wish: Wish { volumes, ..Wish::named(name) } }
    }

    common_wishes!();

    /// Gives a directory a file system of its own, in memory, as /home and /srv have.
    pub fn volume(mut self, at: impl Into<PathBuf>) -> Self {
        self.wish.volumes.push(at.into());
        self
    }

    /// Starts it and sets up its network.
    ///
    /// # Errors
    /// The drawing is wrong, the name is taken, or the kernel refused.
    pub fn start(self) -> LabResult<Machine> {
        self.lab.start_machine(&self.wish)
    }
}

/// A machine with a kernel of its own, to be booted.
#[must_use = "a machine does not exist before it is booted"]
pub struct UmlBuilder<'lab> {
    lab: &'lab Lab,
    wish: Wish,
    hardware: Hardware,
    host: Option<(Machine, Option<String>)>,
}

/// What a machine with a kernel of its own is made of, its network cards aside.
pub(crate) struct Hardware {
    pub(crate) memory_mib: u32,
    /// What is on its disks, read-only inside: `/dev/ubda` and so on.
    pub(crate) disks: Vec<Vec<u8>>,
    /// The hardware address of its first network card; `None`: one that nobody else in the lab has.
    pub(crate) mac: Option<String>,
}

impl<'lab> UmlBuilder<'lab> {
    pub(crate) fn new(lab: &'lab Lab, name: &str) -> Self {
        let hardware = Hardware { memory_mib: 256, disks: Vec::new(), mac: None };
        Self { lab, wish: Wish::named(name), hardware, host: None }
    }

    common_wishes!();

    /// Its memory (256 MiB otherwise).
    pub fn memory_mib(mut self, memory_mib: u32) -> Self {
        self.hardware.memory_mib = memory_mib;
        self
    }

    /// Its next disk with this on it, read-only: `/dev/ubda` and so on.
    pub fn disk(mut self, image: impl Into<Vec<u8>>) -> Self {
        self.hardware.disks.push(image.into());
        self
    }

    /// The hardware address of its first network card.
    pub fn mac(mut self, mac: &str) -> Self {
        self.hardware.mac = Some(mac.to_owned());
        self
    }

    /// Gives it one network card, `eth0`, whose other end is a tap on the host: a virtual machine there. The tap is no
    /// bridge's port until [`Uml::plug`].
    pub fn on_host(mut self, host: &Machine) -> Self {
        self.host = Some((host.clone(), None));
        self
    }

    /// As [`UmlBuilder::on_host`], the tap being a port of a bridge that is there already.
    pub fn plug(mut self, host: &Machine, bridge: &str) -> Self {
        self.host = Some((host.clone(), Some(bridge.to_owned())));
        self
    }

    /// Boots it and sets up its network.
    ///
    /// # Errors
    /// The drawing is wrong, the name is taken, user-mode-linux is missing, or the kernel refused.
    pub fn boot(self) -> LabResult<Uml> {
        self.lab.boot_uml(&self.wish, &self.hardware, self.host)
    }
}
