//! The documents beside the identity.

use landbridge_fabric::InterfaceName;
use serde::{Deserialize, Serialize};

use super::{State, StateError, replace};
use crate::names::Names;
use crate::wire::{Bundle, FabricOrder, StageReport, Via};

/// How a worker is attached. Decided once, when it joins, so that a join after a reboot does the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The way to the vLAN.
    pub via: Via,
    /// The NIC on a bridge; `None` for a tunnel.
    pub nic: Option<InterfaceName>,
    /// Whether the machine had a port mapper before us, which is then used and left alone.
    pub foreign_rpcbind: bool,
}

/// The stages of the last join.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// In order, as far as it got.
    pub stages: Vec<StageReport>,
}

impl State {
    /// A worker's bundle.
    pub fn bundle(&self) -> Result<Option<Bundle>, StateError> {
        replace::read_json(&self.paths.bundle())
    }

    /// Keeps a worker's bundle.
    pub fn keep_bundle(&self, bundle: &Bundle) -> Result<(), StateError> {
        replace::write_json(&self.paths.bundle(), bundle)
    }

    /// How a worker is attached.
    pub fn attachment(&self) -> Result<Option<Attachment>, StateError> {
        replace::read_json(&self.paths.attachment())
    }

    /// Keeps how a worker is attached.
    pub fn keep_attachment(&self, attachment: &Attachment) -> Result<(), StateError> {
        replace::write_json(&self.paths.attachment(), attachment)
    }

    /// The last join's stages.
    pub fn timeline(&self) -> Result<Option<Timeline>, StateError> {
        replace::read_json(&self.paths.timeline())
    }

    /// Keeps a join's stages.
    pub fn keep_timeline(&self, timeline: &Timeline) -> Result<(), StateError> {
        replace::write_json(&self.paths.timeline(), timeline)
    }

    /// A host's last order.
    pub fn order(&self) -> Result<Option<FabricOrder>, StateError> {
        replace::read_json(&self.paths.order())
    }

    /// Keeps a host's order.
    pub fn keep_order(&self, order: &FabricOrder) -> Result<(), StateError> {
        replace::write_json(&self.paths.order(), order)
    }

    /// The machine's names before ours.
    pub fn former_names(&self) -> Result<Option<Names>, StateError> {
        replace::read_json(&self.paths.former_names())
    }

    /// Keeps the machine's names before ours.
    pub fn keep_former_names(&self, names: &Names) -> Result<(), StateError> {
        replace::write_json(&self.paths.former_names(), names)
    }

    /// The machine has its own names again.
    pub fn forget_former_names(&self) -> Result<(), StateError> {
        replace::remove(&self.paths.former_names())
    }
}
