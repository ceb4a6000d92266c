//! The lab: a cluster on one machine, real in every part but the cloud's hardware.
//!
//! A test draws its topology, and the lab builds it:
//!
//! ```no_run
//! # use std::time::Duration;
//! # use netns_tests::{Lab, LabResult};
//! # fn main() -> LabResult<()> {
//! let lab = Lab::new("join")?;
//! let internet = lab.network("internet")?;
//! let underlay = lab.network("underlay")?;
//! let cloud = lab.network("cloud")?;
//! let wan = lab.wan(&cloud, &internet)?;
//!
//! let frontend =
//!     lab.machine("frontend").nic("wan0", &internet, "198.51.100.1/24").nic("und0", &underlay, "192.0.2.10/24").start()?;
//! let ursa01 = lab.machine("ursa01").nic("und0", &underlay, "192.0.2.11/24").start()?;
//! let w1 = lab.uml("w1").on_host(&ursa01).boot()?;
//! let e1 = lab.uml("e1").nic("eth0", &cloud, "203.0.113.11/24").route("198.51.100.0/24", "eth0").boot()?;
//!
//! frontend.run("openvpn --version").expect_ok()?;
//! w1.plug("lbbr-ursa")?; // once ursa01 has that bridge
//! wan.set_delay(Duration::from_millis(40));
//! e1.run("ping -c 1 198.51.100.1").expect_ok()?;
//! # Ok(())
//! # }
//! ```
//!
//! - [`Machine`]: namespaces (network, mounts, processes, host name, IPC) over a Debian tree with all of the cluster's programs.
//!   Its kernel is this machine's: no 802.1Q, no NFS mounts.
//! - [`Uml`]: the same tree under a kernel of its own, booted in about half a second: NFS client, 802.1Q, tun, VXLAN, netem.
//! - [`Network`]: a layer-2 segment. [`Wan`]: the long way between two of them, with delay, loss, a rate and filters.
//! - Both kinds of machine take the same commands ([`Machine::run`]), whose ends are waited for with a deadline.
//!
//! What this workspace has built is in every machine's `PATH`, as `/opt/landbridge/bin`.
//!
//! Nothing has a name outside of the lab's own process: namespaces are held by descriptors, disks are in memory, machines are
//! process namespaces. When the lab is dropped, or its process is killed, everything is gone. Labs don't see each other, so
//! tests run in parallel. A test that fails prints the ends of its machines' consoles and of `/var/log/landbridge`.
//!
//! What to know of a guest's kernel ([`Uml`]): it has one processor, and what it does cheaply is computing. Starting a program
//! takes some 25 ms, a shell some 50. TCP flows at gigabits (its cards take whole segments), but it takes in only five to ten
//! thousand datagrams a second: measure tunnels between machines of namespaces. Its serial line takes input at less than a
//! megabyte a second: show it large files with [`UmlBuilder::share`]. Its clock is its own and may be set.
//!
//! What to know of a machine of namespaces: `/home`, `/srv` (and [`MachineBuilder::volume`]s) are file systems that an NFS server
//! can export; kernel settings outside of `/proc/sys/net` are this machine's own, and so is the clock.
//!
//! Needed: root, `scripts/setup` and `scripts/build-image`. What is missing is an error that names the script.

mod agent;
pub mod bench;
mod builder;
pub mod cloud;
mod command;
mod console;
mod error;
pub mod hold;
pub mod hypervisor;
mod image;
mod init;
mod lab;
mod machine;
mod net;
mod report;
pub mod scenario;
mod spawn;
mod uml;
pub mod ursa;
mod wan;

pub use agent::message::TerminalSize;
pub use builder::{MachineBuilder, UmlBuilder};
pub use command::{Command, Finished, Running};
pub use error::{LabError, LabResult};
pub use init::main as init_main;
pub use lab::Lab;
pub use machine::Machine;
pub use net::Network;
pub use net::config::Hop;
pub use uml::Uml;
pub use wan::Wan;
