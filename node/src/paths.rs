//! Where a node keeps things.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// A node's directories. The defaults follow the Filesystem Hierarchy Standard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// What must survive a reboot (0700): `/var/lib/landbridge-node`.
    pub state: PathBuf,
    /// What needn't: process records. `/run/landbridge-node`.
    pub run: PathBuf,
    /// Logs of the programs we start: `/var/log/landbridge-node`.
    pub log: PathBuf,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            state: "/var/lib/landbridge-node".into(),
            run: "/run/landbridge-node".into(),
            log: "/var/log/landbridge-node".into(),
        }
    }
}

impl Paths {
    /// The same for a physical host's half: one machine may be a host and, for a test, a worker too.
    #[must_use]
    pub fn host(&self) -> Self {
        Self { state: self.state.join("host"), run: self.run.join("host"), log: self.log.join("host") }
    }

    /// Removes the directories if nothing is in them: those that both halves lie in, when both are gone. Logs stay.
    pub fn remove_empty(&self) -> io::Result<()> {
        remove_if_empty(&self.state)?;
        remove_if_empty(&self.run)
    }

    /// Who the machine is: name, certificate, authorities, API.
    pub fn identity(&self) -> PathBuf {
        self.state.join("identity.json")
    }

    /// The private key that belongs to the certificate.
    pub fn key(&self) -> PathBuf {
        self.state.join("key.pem")
    }

    /// The private key of a request that is under way.
    pub fn next_key(&self) -> PathBuf {
        self.state.join("next-key.pem")
    }

    /// A worker's bundle.
    pub fn bundle(&self) -> PathBuf {
        self.state.join("bundle.json")
    }

    /// How a worker is attached: by which way and which NIC.
    pub fn attachment(&self) -> PathBuf {
        self.state.join("attachment.json")
    }

    /// The last join's timeline.
    pub fn timeline(&self) -> PathBuf {
        self.state.join("timeline.json")
    }

    /// A host's last order.
    pub fn order(&self) -> PathBuf {
        self.state.join("order.json")
    }

    /// A host's packet filter.
    pub fn guard(&self) -> PathBuf {
        self.state.join("guard")
    }

    /// Host and domain name as they were before we set ours.
    pub fn former_names(&self) -> PathBuf {
        self.state.join("former-names.json")
    }

    /// Held by whoever works on this machine: a join, or the agent. It has the holder's process id in it.
    pub fn lock(&self) -> PathBuf {
        self.state.join("lock")
    }

    /// The tunnel's configuration, with the private key in it.
    pub fn tunnel_config(&self) -> PathBuf {
        self.state.join("client.ovpn")
    }

    /// The agent's own log.
    pub fn agent_log(&self) -> PathBuf {
        self.log.join("agent.log")
    }
}

/// Removes a directory, if it is there and nothing is in it: others may keep things there too.
pub(crate) fn remove_if_empty(directory: &Path) -> io::Result<()> {
    match std::fs::remove_dir(directory) {
        Err(error) if !matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::NotFound) => Err(error),
        _ => Ok(()),
    }
}
