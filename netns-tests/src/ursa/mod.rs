//! The design's cluster, as every test and the demo draw it: a front-end, two physical hosts, and a cloud behind a WAN.
//!
//! ```text
//!        cloud 203.0.113.0/24 ──── wan ──── internet 198.51.100.0/24
//!          │        │                           │ wan0 .1
//!          e1       e2                      frontend
//!                                               │ und0 .10
//!          underlay 192.0.2.0/24 ───────────────┴──────┬──────────────┐
//!                                                 ursa01 .11     ursa02 .12
//!                                                      │              │
//!                                                      w1             w2
//! ```

mod boot;
mod cloud;
mod crash;
mod judge;
mod libvirt;
mod revoke;
mod trace;
mod workers;

use std::sync::Arc;
use std::time::Duration;

use crate::{Lab, LabError, LabResult, Machine, MachineBuilder, Network, Uml, Wan};

pub use boot::Makers;
pub use cloud::TEMPLATE;
pub use crash::DoomedDaemon;
pub use libvirt::hollow;
pub use revoke::Revoked;
pub use trace::Trace;
pub use workers::Way;

/// The cluster's file in the lab.
pub const CLUSTER_TOML: &str = include_str!("cluster.toml");

/// Where the front-end reads it.
const FILE: &str = "/etc/landbridge/cluster.toml";

/// For commands that build maps, start daemons or wait for other machines.
const PATIENCE: Duration = Duration::from_mins(2);

/// The cluster.
pub struct Ursa {
    /// Everything that is torn down with it.
    pub lab: Arc<Lab>,
    /// The front-end.
    pub frontend: Machine,
    /// The physical hosts.
    pub hosts: Vec<Machine>,
    /// The way between the cloud and the front-end.
    pub wan: Wan,
    /// Where instances live.
    pub cloud: Network,
    /// Between the front-end and the physical hosts.
    pub underlay: Network,
    /// Where the front-end is public.
    pub internet: Network,
}

impl Ursa {
    /// Draws the machines; nothing of Landbridge runs yet. The front-end has a user, ada, with her home directory.
    pub fn draw(name: &str) -> LabResult<Self> {
        Self::draw_in(Arc::new(Lab::new(name)?))
    }

    /// Draws them into a lab that is there.
    pub fn draw_in(lab: Arc<Lab>) -> LabResult<Self> {
        Self::draw_with(lab, |host| host)
    }

    /// Draws them with something more in every host.
    fn draw_with(lab: Arc<Lab>, more: impl Fn(MachineBuilder<'_>) -> MachineBuilder<'_>) -> LabResult<Self> {
        let internet = lab.network("internet")?;
        // Room for VXLAN's 50 bytes around a packet of the vLAN.
        let underlay = lab.network_with_mtu("underlay", 1600)?;
        let cloud = lab.network("cloud")?;
        let wan = lab.wan(&cloud, &internet)?;
        let frontend = lab
            .machine("frontend")
            .nic("wan0", &internet, "198.51.100.1/24")
            .nic("und0", &underlay, "192.0.2.10/24")
            .route("203.0.113.0/24", "wan0")
            .start()?;
        let host = |n: u8| {
            let name = format!("ursa{n:02}");
            let address = format!("192.0.2.{}/24", 10 + n);
            more(lab.machine(&name).nic("und0", &underlay, address.as_str())).start()
        };
        let hosts = vec![host(1)?, host(2)?];
        frontend.run("useradd --create-home --uid 1000 --shell /bin/bash ada").expect_ok()?;
        frontend.write_file(FILE, CLUSTER_TOML)?;
        Ok(Self { lab, frontend, hosts, wan, cloud, underlay, internet })
    }

    /// Draws it for workers that can't mount anything ([`Ursa::light_instance`]), and brings the front-end up.
    pub fn light(name: &str) -> LabResult<Self> {
        let ursa = Self::draw_light(name)?;
        ursa.landbridge("up").expect_ok()?;
        Ok(ursa)
    }

    /// The same, its tunnels over UDP alone.
    pub fn light_over_udp(name: &str) -> LabResult<Self> {
        Self::light_with_tunnel(name, "transport = \"udp\"")
    }

    /// The same, with these lines in the `[tunnel]` section of the cluster's file.
    pub fn light_with_tunnel(name: &str, lines: &str) -> LabResult<Self> {
        let ursa = Self::draw_light(name)?;
        ursa.configure("[tunnel]", lines)?;
        ursa.landbridge("up").expect_ok()?;
        Ok(ursa)
    }

    /// Draws it for workers that can't mount anything; nothing of Landbridge runs yet.
    pub fn draw_light(name: &str) -> LabResult<Self> {
        let ursa = Self::draw(name)?;
        ursa.edit_file(|file| file.lines().filter(|l| !l.starts_with("nfs")).flat_map(|l| [l, "\n"]).collect())?;
        Ok(ursa)
    }

    /// Draws it, brings the front-end up and enrols both hosts.
    pub fn up(name: &str) -> LabResult<Self> {
        let ursa = Self::draw(name)?;
        ursa.bring_up()?;
        Ok(ursa)
    }

    /// Adds a line to a section of the cluster's file.
    pub fn configure(&self, section: &str, line: &str) -> LabResult<()> {
        self.edit_file(|file| file.replace(section, &format!("{section}\n{line}")))
    }

    /// Changes the cluster's file, as a person with an editor.
    ///
    /// # Errors
    /// The machine's own words.
    pub fn edit_file(&self, edit: impl FnOnce(&str) -> String) -> LabResult<()> {
        let file = edit(&self.frontend.read_text(FILE)?);
        self.frontend.write_file(FILE, file)
    }

    /// Brings the front-end up and enrols the hosts.
    pub fn bring_up(&self) -> LabResult<()> {
        self.landbridge("up").deadline(PATIENCE).expect_ok()?;
        self.hosts.iter().try_for_each(|host| self.enrol(host))
    }

    /// A command of `landbridge` on the front-end.
    pub fn landbridge(&self, words: &str) -> crate::Command {
        self.frontend.run(&format!("landbridge {words}")).deadline(PATIENCE)
    }

    /// A command's answer as JSON.
    pub fn ask(&self, words: &str) -> LabResult<serde_json::Value> {
        let text = self.landbridge(&format!("{words} --output json")).expect_ok()?;
        serde_json::from_str(&text).map_err(|error| LabError::Agent {
            machine: self.frontend.name().to_owned(),
            message: format!("landbridge {words} printed no JSON: {error}: {text}"),
        })
    }

    /// Makes a machine a physical host of the cluster, as a person would: with the line that `host add` prints.
    pub fn enrol(&self, host: &Machine) -> LabResult<()> {
        let offer = self.ask(&format!("host add {}", host.name()))?;
        let token = offer["token"].as_str().unwrap_or_default();
        host.run("landbridge-node host join --token-stdin").stdin(token).deadline(PATIENCE).expect_ok()?;
        Ok(())
    }

    /// An instance in the cloud, which has never heard of Landbridge.
    pub fn instance(&self, name: &str, address: &str) -> LabResult<Uml> {
        self.lab.uml(name).nic("eth0", &self.cloud, address).route("198.51.100.0/24", "eth0").boot()
    }

    /// An instance without a kernel of its own: quick, and unable to mount anything over the network.
    pub fn light_instance(&self, name: &str, address: &str) -> LabResult<Machine> {
        self.lab.machine(name).nic("eth0", &self.cloud, address).route("198.51.100.0/24", "eth0").start()
    }

    /// A virtual machine on a host, its NIC a port of the vLAN's bridge there.
    pub fn guest(&self, name: &str, host: &Machine) -> LabResult<Uml> {
        host.wait_until("ip link show lbbr-ursa", PATIENCE)?;
        self.lab.uml(name).plug(host, "lbbr-ursa").boot()
    }
}
