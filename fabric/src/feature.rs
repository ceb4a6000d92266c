//! What a kernel must have for a kind of link.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::conflict::Conflict;
use crate::{Backend, BackendError, InterfaceName, Kind, Plan, Step};

/// Something that a kernel has or lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// Bridges.
    Bridge,
    /// VXLAN end points.
    Vxlan,
    /// IEEE 802.1Q sub-interfaces.
    Vlan,
    /// Taps, by `/dev/net/tun`.
    Tun,
}

impl Feature {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Bridge, Self::Vxlan, Self::Vlan, Self::Tun];

    /// What a link of this kind needs.
    pub fn of(kind: &Kind) -> Option<Self> {
        match kind {
            Kind::Bridge => Some(Self::Bridge),
            Kind::Vxlan { .. } => Some(Self::Vxlan),
            Kind::Vlan { .. } => Some(Self::Vlan),
            Kind::Tap => Some(Self::Tun),
            Kind::Other { .. } => None,
        }
    }

    /// What a person can do about its absence.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Bridge => "load the module bridge, or boot a kernel with CONFIG_BRIDGE",
            Self::Vxlan => "load the module vxlan, or choose another uplink",
            Self::Vlan => "load the module 8021q, or choose another uplink",
            Self::Tun => "load the module tun and make /dev/net/tun (`mknod /dev/net/tun c 10 200`)",
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bridge => "bridges (module bridge)",
            Self::Vxlan => "VXLAN (module vxlan)",
            Self::Vlan => "802.1Q VLANs (module 8021q)",
            Self::Tun => "taps (module tun, /dev/net/tun)",
        })
    }
}

/// What a backend's kernel has. Finding out leaves nothing behind.
pub async fn features<B: Backend>(backend: &mut B) -> Result<BTreeSet<Feature>, BackendError> {
    let mut has = BTreeSet::new();
    for feature in Feature::ALL {
        if backend.supports(feature).await? {
            has.insert(feature);
        }
    }
    Ok(has)
}

impl Plan {
    /// The features that the plan's new links need, and who needs them.
    pub fn features(&self) -> BTreeMap<Feature, Vec<InterfaceName>> {
        let mut needed: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for planned in &self.steps {
            if let Step::Create { name, link } = &planned.step
                && let Some(feature) = Feature::of(&link.kind)
            {
                needed.entry(feature).or_default().push(name.clone());
            }
        }
        needed
    }

    /// A conflict for each feature that the plan needs and `has` denies.
    pub fn unsupported(&self, has: impl Fn(Feature) -> bool) -> Vec<Conflict> {
        let lacking = self.features().into_iter().filter(|(feature, _)| !has(*feature));
        lacking.map(|(feature, names)| Conflict::Unsupported { feature, names }).collect()
    }
}
