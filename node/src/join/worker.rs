//! A worker as it should be: what the stages are made from.

use std::sync::Arc;

use landbridge_fabric::{HostRoutes, InterfaceName};
use landbridge_pki::NodeName;
use secrecy::SecretString;

use super::link::is_over_tcp;
use crate::path::{PathKeeper, SendRoom, Sizes};
use crate::paths::Paths;
use crate::state::{Attachment, Member};
use crate::wire::{Bundle, LinkBundle};
use crate::{logs, udev};

/// Everything that decides what a worker has: its identity, its bundle, and how it is attached.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Its name.
    pub name: NodeName,
    /// Its certificate (PEM).
    pub certificate_pem: String,
    /// Its private key (PEM).
    pub key_pem: SecretString,
    /// What the front-end told it.
    pub bundle: Bundle,
    /// What was decided here.
    pub attachment: Attachment,
    /// Whether logrotate looks after logs on this machine.
    pub rotates_logs: bool,
    /// Whether systemd's udev looks after links on this machine.
    pub has_udev: bool,
    /// Where its files lie.
    pub paths: Paths,
}

impl Worker {
    /// Puts the parts together.
    pub fn new(member: &Member, bundle: Bundle, attachment: Attachment, paths: Paths) -> Self {
        Self {
            name: member.facts.name.clone(),
            certificate_pem: member.identity.certificate_pem.clone(),
            key_pem: member.key_pem.clone(),
            bundle,
            attachment,
            rotates_logs: logs::are_rotated(),
            has_udev: udev::is_here(),
            paths,
        }
    }

    /// The path to the front-end, where it may carry more than the vLAN's packets.
    pub fn path(&self) -> std::io::Result<Option<PathKeeper>> {
        let LinkBundle::Tunnel { config, device, wide: Some(offered), .. } = &self.bundle.link else { return Ok(None) };
        let routes = Arc::new(HostRoutes::open()?);
        let wide = if is_over_tcp(config) { SendRoom::look().most(*offered) } else { *offered };
        let sizes = Sizes { standard: self.bundle.mtu, wide, offered: *offered };
        Ok(Some(PathKeeper::new(routes, device.clone(), self.bundle.front_end.address, sizes)))
    }

    /// The link that has the vLAN's address; `None` for a bridge without a NIC, which no join leaves behind.
    pub fn device(&self) -> Option<&InterfaceName> {
        match &self.bundle.link {
            LinkBundle::Tunnel { device, .. } => Some(device),
            LinkBundle::Bridge => self.attachment.nic.as_ref(),
        }
    }
}
