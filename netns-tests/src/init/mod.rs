//! The first process of a machine, program `landbridge-lab-init`.
//!
//! A namespace machine is made in two steps, each a fresh start of the program (no fork in a process with threads, no unsafe
//! code): `enter` makes or joins the network namespace and makes the process namespace, `machine` or `holder` is the first
//! process in it, builds the root and serves. In a user-mode-linux machine the kernel starts it as `init`.

mod device;
mod enter;
mod guest;
mod holder;
mod machine;
mod mounts;

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What the first process needs to know to build its machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InitConfig {
    /// The lab's process, by which a child can tell that it has been orphaned before it could ask for a signal.
    pub(crate) parent: u32,
    /// What to be.
    pub(crate) role: Role,
    /// The host's name.
    pub(crate) hostname: String,
    /// The image's directory.
    pub(crate) image: PathBuf,
    /// Directories of this machine that the other sees, read-only.
    pub(crate) shares: Vec<Share>,
    /// Directories that get a file system of their own.
    pub(crate) volumes: Vec<PathBuf>,
    /// Lines for /etc/hosts.
    pub(crate) hosts: String,
    /// A network namespace to join; none makes a new one.
    pub(crate) netns: Option<PathBuf>,
}

/// The two kinds of process that the lab starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    /// A machine made of namespaces.
    Machine,
    /// The surroundings of a user-mode-linux machine: its disk and its kernel's process.
    Holder,
}

/// A directory seen in two places.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Share {
    /// Where it is.
    pub(crate) from: PathBuf,
    /// Where the machine sees it.
    pub(crate) to: PathBuf,
}

/// Runs the program `landbridge-lab-init` with its arguments (without its name). Returns when the machine is to end.
pub fn main(arguments: &[String]) -> io::Result<()> {
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["enter", config] => enter::enter(&parse(config)?, config),
        ["serve", config] => serve(&parse(config)?),
        // The kernel hands on what it didn't understand of its own command line.
        _ if std::process::id() == 1 => guest::run(),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "this program is started by the lab, as a machine's first process",
        )),
    }
}

fn parse(config: &str) -> io::Result<InitConfig> {
    Ok(serde_json::from_str(config)?)
}

fn serve(config: &InitConfig) -> io::Result<()> {
    enter::die_with_parent()?;
    match config.role {
        Role::Machine => machine::build(config)?,
        Role::Holder => holder::build(config)?,
    }
    let line = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned()?;
    crate::agent::server::serve(&line.into())
}
