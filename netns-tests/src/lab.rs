//! The lab: makes networks and machines, and takes everything away in the end.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::agent::message::Request;
use crate::builder::{Hardware, MachineBuilder, NicWish, UmlBuilder, Wish};
use crate::error::{LabError, LabResult, io_error};
use crate::image::{self, INIT_PROGRAM, Image};
use crate::init::Role;
use crate::machine::Machine;
use crate::net::Network;
use crate::net::config::{NetworkConfig, NicConfig};
use crate::net::link;
use crate::net::netns::Netns;
use crate::uml::{Plugs, Uml};
use crate::wan::Wan;

/// How long a machine may take to set up its addresses.
const PATIENCE: Duration = Duration::from_secs(20);

/// A cluster on this machine. Dropped, it takes everything away.
pub struct Lab {
    name: String,
    image: Image,
    programs: PathBuf,
    init_program: PathBuf,
    /// Holds the networks' bridges. Nobody else can see it.
    switchyard: Netns,
    parts: Mutex<Parts>,
}

#[derive(Default)]
struct Parts {
    networks: usize,
    cards: usize,
    machines: Vec<Machine>,
    umls: Vec<Uml>,
    wans: Vec<Wan>,
}

impl Lab {
    /// An empty lab. The name is for people only.
    ///
    /// # Errors
    /// Not root, or something is missing that a script makes.
    pub fn new(name: &str) -> LabResult<Self> {
        if !nix::unistd::geteuid().is_root() {
            return Err(LabError::NotRoot);
        }
        let image = Image::current()?;
        let programs = image::program_directory()?;
        let init_program = programs.join(INIT_PROGRAM);
        let switchyard = Netns::create_switchyard().map_err(io_error("making the switchyard of lab", name))?;
        Ok(Self { name: name.to_owned(), image, programs, init_program, switchyard, parts: Mutex::default() })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A layer-2 segment with an MTU of 1500.
    ///
    /// # Errors
    /// The kernel refused.
    pub fn network(&self, name: &str) -> LabResult<Network> {
        self.network_with_mtu(name, 1500)
    }

    /// A layer-2 segment with this MTU, which its machines' interfaces get too.
    ///
    /// # Errors
    /// The kernel refused.
    pub fn network_with_mtu(&self, name: &str, mtu: u32) -> LabResult<Network> {
        let mut parts = self.parts();
        parts.networks += 1;
        Network::create(&self.switchyard, parts.networks, name, mtu)
    }

    /// The long way between two networks: one layer-2 segment with a slow, lossy middle. Until it is told otherwise it is
    /// as fast as this machine can.
    ///
    /// # Errors
    /// The kernel refused.
    pub fn wan(&self, one: &Network, other: &Network) -> LabResult<Wan> {
        let wan = Wan::connect(one, other)?;
        self.parts().wans.push(wan.clone());
        Ok(wan)
    }

    /// A machine of namespaces.
    pub fn machine(&self, name: &str) -> MachineBuilder<'_> {
        MachineBuilder::new(self, name)
    }

    /// A machine with a kernel of its own.
    pub fn uml(&self, name: &str) -> UmlBuilder<'_> {
        UmlBuilder::new(self, name)
    }

    /// The machine of this name, of either kind.
    pub fn find(&self, name: &str) -> Option<Machine> {
        self.machines().into_iter().find(|machine| machine.name() == name)
    }

    /// The machine of this name with a kernel of its own.
    pub fn find_uml(&self, name: &str) -> Option<Uml> {
        self.parts().umls.iter().find(|uml| uml.name() == name).cloned()
    }

    /// Ends a machine and forgets it: its name is free again.
    ///
    /// # Errors
    /// The kernel kept its network cards.
    pub fn retire(&self, uml: &Uml) -> LabResult<()> {
        uml.stop();
        self.parts().umls.retain(|other| other.name() != uml.name());
        uml.remove_cards()
    }

    /// All machines, in the order in which they came up, those of namespaces first.
    pub fn machines(&self) -> Vec<Machine> {
        let parts = self.parts();
        parts.machines.iter().cloned().chain(parts.umls.iter().map(|uml| Machine::clone(uml))).collect()
    }

    /// Takes everything away: machines, networks, ways between them. Twice is once.
    pub fn stop(&self) {
        let parts = std::mem::take(&mut *self.parts());
        // Guests first: their cards are plugged into the others.
        std::thread::scope(|scope| parts.umls.iter().for_each(|uml| drop(scope.spawn(|| uml.stop()))));
        std::thread::scope(|scope| parts.machines.iter().for_each(|machine| drop(scope.spawn(|| machine.stop()))));
        parts.wans.iter().for_each(Wan::stop);
    }

    pub(crate) fn start_machine(&self, wish: &Wish) -> LabResult<Machine> {
        self.check_name(&wish.name)?;
        let network = wish.network_config()?;
        let config = wish.init_config(self, Role::Machine, None);
        let machine = Machine::launch(&wish.name, &self.init_program, &config, Stdio::null())?;
        self.parts().machines.push(machine.clone());
        for nic in &wish.nics {
            nic.network.connect(&nic.name, machine.netns())?;
        }
        machine.request(Request::Configure(network), PATIENCE)?;
        Ok(machine)
    }

    pub(crate) fn boot_uml(
        &self,
        wish: &Wish,
        hardware: &Hardware,
        host: Option<(Machine, Option<String>)>,
    ) -> LabResult<Uml> {
        self.check_name(&wish.name)?;
        let mut plugs = match host {
            None => self.plugs_on_networks(wish)?,
            Some(_) if !wish.nics.is_empty() => {
                let message = format!("{}: a machine on a host has no network cards elsewhere", wish.name);
                return Err(LabError::Plan { message });
            }
            Some((host, bridge)) => plugs_on_host(wish, &host, bridge.as_deref())?,
        };
        plugs.macs = plugs.taps.iter().map(|_| self.next_mac()).collect();
        if let (Some(first), Some(mac)) = (plugs.macs.first_mut(), &hardware.mac) {
            first.clone_from(mac);
        }
        let uml = Uml::create(self, wish, hardware, plugs)?;
        self.parts().umls.push(uml.clone());
        Ok(uml)
    }

    fn plugs_on_networks(&self, wish: &Wish) -> LabResult<Plugs> {
        let taps = wish.nics.iter().map(|NicWish { network, .. }| network.create_tap()).collect::<LabResult<_>>()?;
        Ok(Plugs { netns: self.switchyard.clone(), taps, macs: Vec::new(), network: wish.network_config()? })
    }

    /// A hardware address that nobody else in the lab has.
    fn next_mac(&self) -> String {
        let mut parts = self.parts();
        parts.cards += 1;
        format!("02:1b:00:00:{:02x}:{:02x}", parts.cards >> 8 & 0xff, parts.cards & 0xff)
    }

    fn check_name(&self, name: &str) -> LabResult<()> {
        let taken = self.find(name).is_some();
        if taken { Err(LabError::Plan { message: format!("there are two machines named {name}") }) } else { Ok(()) }
    }

    pub(crate) fn image(&self) -> &Image {
        &self.image
    }

    /// The directory of the programs that machines see as `/opt/landbridge/bin`.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    pub(crate) fn init_program(&self) -> &Path {
        &self.init_program
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn plugs_on_host(wish: &Wish, host: &Machine, bridge: Option<&str>) -> LabResult<Plugs> {
    const MTU: u32 = 1500;
    let tap = format!("vm-{}", wish.name);
    let make = || {
        link::create_tap(host.netns(), &tap, MTU)?;
        bridge.map_or(Ok(()), |bridge| link::attach(host.netns(), &tap, Some(bridge), MTU))
    };
    make().map_err(io_error(&format!("plugging {} into", wish.name), host.name()))?;
    let eth0 = NicConfig { device: None, name: "eth0".to_owned(), addresses: Vec::new(), mtu: MTU };
    let network = NetworkConfig { nics: vec![eth0], routes: wish.network_config()?.routes };
    Ok(Plugs { netns: host.netns().clone(), taps: vec![tap], macs: Vec::new(), network })
}

impl Drop for Lab {
    fn drop(&mut self) {
        let machines = self.machines();
        if std::thread::panicking() || machines.iter().any(|machine| machine.trouble().is_noted()) {
            crate::report::print_logs(&self.name, &machines);
        }
        self.stop();
    }
}
