//! Why a network can't be had without touching what isn't ours, or at all.

use crate::feature::Feature;
use crate::{InterfaceName, VlanId, Vni};

/// One reason against a plan, in words for a person. Found before anything is changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Our name, without our tag.
    #[error("{name} is there already: a {found} that we did not make")]
    Taken {
        /// The name.
        name: InterfaceName,
        /// What bears it.
        found: String,
    },
    /// A NIC that should be adopted isn't there.
    #[error("there is no interface {nic} on this machine")]
    NicMissing {
        /// The NIC.
        nic: InterfaceName,
    },
    /// A NIC that should be adopted is a port of somebody else's.
    #[error("{nic} is a port of {controller} already")]
    NicHasController {
        /// The NIC.
        nic: InterfaceName,
        /// Whose port it is.
        controller: InterfaceName,
    },
    /// A "NIC" that a cluster made for itself.
    #[error("{nic} is no NIC of this machine: a {found} made for {owner}")]
    NicIsMade {
        /// The link.
        nic: InterfaceName,
        /// What it is.
        found: String,
        /// Whose, by its tag.
        owner: String,
    },
    /// A controller that can't be one.
    #[error("{name} can't be a port of {controller}: {reason}")]
    NoPort {
        /// The link.
        name: InterfaceName,
        /// The controller as wished.
        controller: InterfaceName,
        /// Why not.
        reason: &'static str,
    },
    /// An 802.1Q sub-interface without anything to stand on.
    #[error("{name} is to stand on {parent}, which {reason}")]
    ParentUnfit {
        /// The sub-interface.
        name: InterfaceName,
        /// What it is to stand on.
        parent: InterfaceName,
        /// Why it can't.
        reason: String,
    },
    /// The kernel has one VXLAN end point for each VNI and port.
    #[error("{name} can't have VNI {} on port {port}: {holder} has it", vni.get())]
    VniInUse {
        /// The VXLAN end point.
        name: InterfaceName,
        /// The identifier.
        vni: Vni,
        /// The UDP port.
        port: u16,
        /// Who has it.
        holder: InterfaceName,
    },
    /// A parent has one sub-interface for each VLAN id.
    #[error("{name} can't have VLAN id {} on {parent}: {holder} has it", id.get())]
    VlanInUse {
        /// The sub-interface.
        name: InterfaceName,
        /// The identifier.
        id: VlanId,
        /// What it is to stand on.
        parent: InterfaceName,
        /// Who has it.
        holder: InterfaceName,
    },
    /// A link of others would go with one of ours.
    #[error("{name} has to go, and {standing}, which we did not make, stands on it")]
    StoodUpon {
        /// Our link.
        name: InterfaceName,
        /// The link of others.
        standing: InterfaceName,
    },
    /// The kernel lacks what a link needs.
    #[error("this kernel has no {feature}, needed by {names}", names = listed(names))]
    Unsupported {
        /// What is lacking.
        feature: Feature,
        /// The links that need it.
        names: Vec<InterfaceName>,
    },
}

impl Conflict {
    /// What a person can do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Taken { name, .. } => {
                format!("remove it (`ip link delete {name}`) or rename it, if nobody needs it under this name")
            }
            Self::NicMissing { .. } => "check the name against `ip link`, and plug in or load what makes it".into(),
            Self::NicHasController { nic, controller } => {
                format!("name another NIC, or take it out of {controller} (`ip link set {nic} nomaster`)")
            }
            Self::NicIsMade { .. } => "name a NIC that the machine has by itself".into(),
            Self::NoPort { .. } => "name a bridge of this network".into(),
            Self::ParentUnfit { parent, .. } => format!("name another parent, or make {parent} fit"),
            Self::VniInUse { .. } => "choose another VNI or port".into(),
            Self::VlanInUse { .. } => "choose another VLAN id or parent".into(),
            Self::StoodUpon { standing, .. } => format!("remove it first (`ip link delete {standing}`)"),
            Self::Unsupported { feature, .. } => feature.remedy().into(),
        }
    }
}

fn listed(names: &[InterfaceName]) -> String {
    names.iter().map(InterfaceName::as_str).collect::<Vec<_>>().join(", ")
}
