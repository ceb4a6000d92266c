//! One step of a plan: what it does, what undoes it, and how it reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ipnetwork::Ipv4Network;
use serde::{Deserialize, Serialize};

use crate::{Change, InterfaceName, Link, Observed};

/// The least that is done at once: all of it happens or nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Writes down how a NIC is before anything on it changes. Nothing happens in the kernel.
    Adopt {
        /// The NIC.
        nic: InterfaceName,
        /// As it is now.
        before: NicState,
    },
    /// Forgets a NIC that has been given back. Nothing happens in the kernel.
    Release {
        /// The NIC.
        nic: InterfaceName,
        /// As it was adopted.
        before: NicState,
    },
    /// Makes a link with all its attributes, tagged.
    Create {
        /// Its name.
        name: InterfaceName,
        /// All that it will be.
        link: Link,
    },
    /// Deletes a link of ours. Its ports have been detached before.
    Delete {
        /// Its name.
        name: InterfaceName,
        /// All that it was.
        link: Link,
    },
    /// Tags a link that a [`Step::Create`] made and, in a crash, couldn't tag any more.
    Claim {
        /// Its name.
        name: InterfaceName,
        /// What it was to be.
        link: Link,
    },
    /// Changes one attribute.
    Set {
        /// Whose.
        name: InterfaceName,
        /// From what to what.
        change: Change,
    },
}

/// What is changed on an adopted NIC, as it was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NicState {
    /// In bytes.
    pub mtu: u32,
    /// Administratively up.
    pub up: bool,
    /// The addresses that others gave it.
    pub addresses: BTreeSet<Ipv4Network>,
}

/// A step, and the step that undoes it, found before either runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// What is done.
    pub step: Step,
    /// What undoes it.
    pub inverse: Step,
}

impl From<Step> for PlannedStep {
    fn from(step: Step) -> Self {
        Self { inverse: step.inverse(), step }
    }
}

impl PlannedStep {
    /// The way back, as a step that can be undone itself.
    pub fn reversed(self) -> Self {
        Self { step: self.inverse, inverse: self.step }
    }
}

impl Step {
    /// The step that undoes this one.
    pub fn inverse(&self) -> Self {
        match self.clone() {
            Self::Adopt { nic, before } => Self::Release { nic, before },
            Self::Release { nic, before } => Self::Adopt { nic, before },
            Self::Create { name, link } | Self::Claim { name, link } => Self::Delete { name, link },
            Self::Delete { name, link } => Self::Create { name, link },
            Self::Set { name, change } => Self::Set { name, change: change.inverse() },
        }
    }

    /// Whether this is only a note in the ledger, of which the kernel hears nothing.
    pub fn is_note(&self) -> bool {
        matches!(self, Self::Adopt { .. } | Self::Release { .. })
    }

    /// The link that the step is about.
    pub fn object(&self) -> &InterfaceName {
        match self {
            Self::Adopt { nic: name, .. }
            | Self::Release { nic: name, .. }
            | Self::Create { name, .. }
            | Self::Delete { name, .. }
            | Self::Claim { name, .. }
            | Self::Set { name, .. } => name,
        }
    }

    /// What is done, for an error's text: `create vxlan`, `set mtu 9000`.
    pub fn operation(&self) -> String {
        match self {
            Self::Adopt { .. } => "adopt".into(),
            Self::Release { .. } => "give back".into(),
            Self::Create { link, .. } => format!("create {}", link.kind.word()),
            Self::Delete { link, .. } => format!("delete {}", link.kind.word()),
            Self::Claim { link, .. } => format!("tag {}", link.kind.word()),
            Self::Set { change, .. } => change.operation(),
        }
    }

    /// The model: what `links` look like after the step. Planning uses it to see what the next step will find.
    pub(crate) fn apply_to(&self, links: &mut BTreeMap<InterfaceName, Link>) {
        match self {
            Self::Adopt { .. } | Self::Release { .. } => {}
            Self::Create { name, link } | Self::Claim { name, link } => {
                links.insert(name.clone(), link.clone());
            }
            Self::Delete { name, .. } => {
                links.remove(name);
            }
            Self::Set { name, change } => {
                if let Some(link) = links.get_mut(name) {
                    change.apply_to(link);
                }
            }
        }
    }

    /// Whether the step's effect can be seen: how a step that a crash interrupted is known to have run or not. A note
    /// that begins something counts as run, a note that ends something as not: then nothing is forgotten too early.
    pub fn holds_in(&self, observed: &Observed) -> bool {
        match self {
            Self::Adopt { .. } => true,
            Self::Release { .. } => false,
            Self::Create { name, link } | Self::Claim { name, link } => {
                observed.links.get(name).is_some_and(|found| found.kind == link.kind && found.alias == link.alias)
            }
            Self::Delete { name, link } => observed.links.get(name).is_none_or(|found| found.alias != link.alias),
            Self::Set { name, change } => observed.links.get(name).is_some_and(|link| change.holds_in(link)),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Adopt { nic, before } => write!(f, "~ {nic} adopted as it is: {before}"),
            Self::Release { nic, before } => write!(f, "~ {nic} given back as it was: {before}"),
            Self::Create { name, link } => write!(f, "+ {name} {link}"),
            Self::Delete { name, link } => write!(f, "- {name} {link}"),
            Self::Claim { name, link } => write!(f, "~ {name} tagged as ours: {link}"),
            Self::Set { name, change } => change.write(name, f),
        }
    }
}

impl fmt::Display for NicState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mtu {} {}", self.mtu, if self.up { "up" } else { "down" })?;
        self.addresses.iter().try_for_each(|address| write!(f, " address {address}"))
    }
}
