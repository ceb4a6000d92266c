//! Where the front-end keeps things.

use std::path::PathBuf;

/// The front-end's directories. The defaults follow the Filesystem Hierarchy Standard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The cluster's file, and what must not lie beside the state: `/etc/landbridge`.
    pub config: PathBuf,
    /// What must survive a reboot (0700): `/var/lib/landbridge`.
    pub state: PathBuf,
    /// What needn't: sockets, process records. `/run/landbridge`.
    pub run: PathBuf,
    /// Logs of the programs we start: `/var/log/landbridge`.
    pub log: PathBuf,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            config: "/etc/landbridge".into(),
            state: "/var/lib/landbridge".into(),
            run: "/run/landbridge".into(),
            log: "/var/log/landbridge".into(),
        }
    }
}

impl Paths {
    /// The certificate authority's directory.
    pub fn pki(&self) -> PathBuf {
        self.state.join("pki")
    }

    /// OpenVPN's configuration, keys, and the directories of admitted and revoked workers.
    pub fn tunnel(&self) -> PathBuf {
        self.state.join("tunnel")
    }

    /// Configuration of the NFS and NIS servers.
    pub fn services(&self) -> PathBuf {
        self.state.join("services")
    }

    /// The authority's passphrase.
    pub fn passphrase(&self) -> PathBuf {
        self.config.join("ca.passphrase")
    }

    /// The daemon's local API.
    pub fn socket(&self) -> PathBuf {
        self.run.join("api.sock")
    }

    /// What machines that came to nothing wrote to their consoles (0700, files 0600).
    pub fn consoles(&self) -> PathBuf {
        self.state.join("consoles")
    }

    /// The store.
    pub fn database(&self) -> PathBuf {
        self.state.join("landbridge.db")
    }
}
