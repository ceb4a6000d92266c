//! Machines with a kernel of their own: user-mode-linux, an ordinary program that is a whole Linux.

mod processor;

use std::ops::Deref;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::agent::client::{AgentClient, Pace};
use crate::agent::message::Request;
use crate::builder::{Hardware, Wish};
use crate::command::{Command, Progress, Running};
use crate::error::{LabError, LabResult, io_error};
use crate::image;
use crate::init::Role;
use crate::lab::Lab;
use crate::machine::Machine;
use crate::net::config::NetworkConfig;
use crate::net::link;
use crate::net::netns::Netns;

/// How long a boot may take on a busy machine. It takes half a second on an idle one.
const BOOT_PATIENCE: Duration = Duration::from_mins(1);

/// Start-up work of the guest's kernel that nobody here needs and that takes a second: measuring how fast it could
/// compute RAID parity, and file systems that use that.
const SKIPPED_AT_BOOT: &str = "raid6_select_algo,calibrate_xor_blocks,init_btrfs_fs";

/// What the kernel is started with on whatever processor this is: a shared object, from `uml/xstate.c`.
const XSTATE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/xstate.so"));

/// A machine with a kernel of its own. Everything that a [`Machine`] can do it can do too.
#[derive(Clone)]
pub struct Uml {
    guest: Machine,
    inner: Arc<Inner>,
}

struct Inner {
    holder: Machine,
    plugs: Plugs,
    kernel: Vec<String>,
    /// Where the guest's files are: its disk, and in memory what is gone with the holder.
    scratch: PathBuf,
}

impl Deref for Uml {
    type Target = Machine;

    fn deref(&self) -> &Machine {
        &self.guest
    }
}

/// Where a guest's network cards are plugged in.
pub(crate) struct Plugs {
    /// The namespace of all the taps.
    pub(crate) netns: Netns,
    /// The taps, in the order of the cards.
    pub(crate) taps: Vec<String>,
    /// The cards' hardware addresses.
    pub(crate) macs: Vec<String>,
    /// The cards' names and addresses.
    pub(crate) network: NetworkConfig,
}

impl Uml {
    /// Makes the disk and boots the kernel.
    pub(crate) fn create(lab: &Lab, wish: &Wish, hardware: &Hardware, mut plugs: Plugs) -> LabResult<Self> {
        let program = image::guest_kernel()?;
        let (line, far_end) = UnixStream::pair().map_err(io_error("making the serial line of", &wish.name))?;
        let config = wish.init_config(lab, Role::Holder, Some(plugs.netns.path()));
        let holder = Machine::launch(&wish.name, lab.init_program(), &config, Stdio::from(OwnedFd::from(far_end)))?;
        let agent = AgentClient::start(line, Pace::Serial).map_err(io_error("listening to", &wish.name))?;
        let scratch = lab.image().directory().join("mnt");
        for (index, content) in hardware.disks.iter().enumerate() {
            holder.write_file(disk(&scratch, index), content.clone())?;
        }
        holder.write_file(xstate(&scratch), XSTATE)?;
        let guest = Machine::guest(&wish.name, agent, holder.console_recorder(), plugs.netns.clone());
        let kernel = kernel_command(&program, &scratch, hardware, &plugs);
        for (index, nic) in plugs.network.nics.iter_mut().enumerate() {
            nic.device = Some(format!("vec{index}"));
        }
        let uml = Self { guest, inner: Arc::new(Inner { holder, plugs, kernel, scratch }) };
        match uml.boot() {
            Ok(()) => Ok(uml),
            Err(err) => {
                uml.stop();
                Err(err)
            }
        }
    }

    /// Makes its tap a port of the bridge on its host, and a port of no other. The bridge must be there.
    ///
    /// # Errors
    /// There is no such bridge, or the machine is on no host.
    pub fn plug(&self, bridge: &str) -> LabResult<()> {
        self.attach(Some(bridge))
    }

    /// Pulls its tap out of the bridge.
    ///
    /// # Errors
    /// The kernel's words.
    pub fn unplug(&self) -> LabResult<()> {
        self.attach(None)
    }

    fn attach(&self, bridge: Option<&str>) -> LabResult<()> {
        let tap = self.tap()?;
        let mtu = self.inner.plugs.network.nics.first().map_or(1500, |nic| nic.mtu);
        link::attach(self.guest.netns(), tap, bridge, mtu).map_err(io_error("plugging", self.name()))
    }

    /// The name of its (first) tap, where it is plugged in.
    ///
    /// # Errors
    /// It has no network card.
    pub fn tap(&self) -> LabResult<&str> {
        let none = || LabError::Plan { message: format!("{} has no network card", self.name()) };
        self.inner.plugs.taps.first().map(String::as_str).ok_or_else(none)
    }

    /// Starts what the golden image starts by itself at boot: joining with the token in its user-data.
    ///
    /// # Errors
    /// The machine is gone.
    pub fn start_golden(&self) -> LabResult<()> {
        self.guest.run("exec landbridge-node join --user-data >/dev/console 2>&1").spawn().map(drop)
    }

    /// Whether it runs.
    pub fn is_up(&self) -> bool {
        !self.guest.agent().wait_until_gone(Instant::now())
    }

    /// Ends it as a power cut does: at once, with what it had not written to its disk lost. Twice is once.
    ///
    /// # Errors
    /// Its end could not be seen.
    pub fn crash(&self) -> LabResult<()> {
        self.inner.holder.kill_processes()?;
        let gone = self.guest.agent().wait_until_gone(Instant::now() + BOOT_PATIENCE);
        if gone { Ok(()) } else { Err(self.gone("did not end when it was killed")) }
    }

    /// Boots it again from the disk that it had, after [`Uml::crash`] or its own power off. Its network cards get their
    /// addresses back.
    ///
    /// # Errors
    /// It is still running, or did not come up.
    pub fn boot_again(&self) -> LabResult<()> {
        if !self.guest.agent().wait_until_gone(Instant::now()) {
            return Err(LabError::Plan { message: format!("{} is still running: crash it first", self.name()) });
        }
        self.boot()
    }

    /// Pulls its cards out for good.
    pub(crate) fn remove_cards(&self) -> LabResult<()> {
        let taps = self.inner.plugs.taps.iter();
        let mut removed = taps.map(|tap| link::remove(&self.inner.plugs.netns, tap));
        removed.try_for_each(|one| one.map_err(io_error("removing the cards of", self.name())))
    }

    /// Ends it with all that is in it, its disk too. Twice is once.
    pub fn stop(&self) {
        self.inner.holder.stop();
        self.guest.stop();
    }

    fn boot(&self) -> LabResult<()> {
        let agent = self.guest.agent();
        agent.expect_hello();
        let command = Command::new(&self.inner.holder, self.inner.kernel.clone()).on_line();
        let kernel = command
            .env("TMPDIR", &memory(&self.inner.scratch).display().to_string())
            .env("LD_PRELOAD", &xstate(&self.inner.scratch).display().to_string())
            .spawn()?;
        let watched = agent.clone();
        std::thread::spawn(move || watch(kernel, &watched));
        if !agent.wait_for_hello(Instant::now() + BOOT_PATIENCE) {
            return Err(self.gone("did not boot"));
        }
        self.request(Request::Configure(self.inner.plugs.network.clone()), BOOT_PATIENCE).map(drop)
    }
}

/// Tells the guest's agent line when the kernel has ended, however it did.
fn watch(mut kernel: Running, agent: &AgentClient) {
    while !matches!(kernel.next_progress(), Ok(Progress::Exit(_)) | Err(_)) {}
    agent.note_gone();
}

/// The command line that boots the guest: its root is the directory `root` in `scratch`, its serial line standard input,
/// its console standard output.
fn kernel_command(program: &Path, scratch: &Path, hardware: &Hardware, plugs: &Plugs) -> Vec<String> {
    let mut command = vec![
        "taskset".to_owned(),
        "--cpu-list".to_owned(),
        processor::next(),
        program.display().to_string(),
        format!("mem={}M", hardware.memory_mib),
        format!("uml_dir={}", memory(scratch).display()),
        "rootfstype=hostfs".to_owned(),
        format!("rootflags={}", scratch.join("root").display()),
        "rw".to_owned(),
        format!("init=/opt/landbridge/bin/{}", image::INIT_PROGRAM),
        format!("initcall_blacklist={SKIPPED_AT_BOOT}"),
    ];
    command.extend(["con=null", "con0=null,fd:1", "ssl=null", "ssl0=fd:0", "quiet"].map(str::to_owned));
    // `r`: read-only.
    command.extend((0..hardware.disks.len()).map(|index| format!("ubd{index}r={}", disk(scratch, index).display())));
    for (index, (tap, mac)) in plugs.taps.iter().zip(&plugs.macs).enumerate() {
        let mtu = plugs.network.nics.get(index).map_or(1500, |nic| nic.mtu);
        command.push(format!("vec{index}:transport=tap,ifname={tap},depth=64,gro=1,mac={mac},mtu={mtu}"));
    }
    command
}

/// Where the guest's memory and control files go: in memory, and gone with the machine's holder.
fn memory(scratch: &Path) -> PathBuf {
    scratch.join("memory")
}

/// The image of a disk.
fn disk(scratch: &Path, index: usize) -> PathBuf {
    memory(scratch).join(format!("disk{index}"))
}

/// [`XSTATE`].
fn xstate(scratch: &Path) -> PathBuf {
    memory(scratch).join("xstate.so")
}
