//! Why a worker goes where it goes, in words.

use std::fmt;

use landbridge_pki::NodeName;

use super::{Size, Space, Strategy};

/// Why a host can't take a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Against {
    /// No host has this name.
    Unknown,
    /// Another host was asked for.
    NotAsked {
        /// That one.
        only: NodeName,
    },
    /// A physical host, and the template has no disk and no kernel.
    NoLocalPart,
    /// A cloud, and the template has no EC2 part.
    NoCloudPart,
    /// A cloud whose machines are of another type than the template's.
    OtherType {
        /// The template's.
        wanted: String,
        /// The cloud's.
        has: String,
    },
    /// It takes no workers now; why, in words.
    Closed(String),
    /// A physical host without enough room.
    Full {
        /// What is left.
        free: Size,
        /// All of it.
        total: Size,
        /// What the worker needs.
        needed: Size,
    },
    /// A cloud whose machines are all promised.
    AllTaken {
        /// So many.
        total: u32,
    },
    /// A cloud whose machines are too small.
    TooSmall {
        /// The size of one.
        each: Size,
        /// What the worker needs.
        needed: Size,
    },
}

/// Why a host was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// It alone was asked for.
    pub only: bool,
    /// How it was chosen between hosts with room.
    pub strategy: Strategy,
    /// Its space before this worker.
    pub before: Space,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} CPU and {} MiB", Cpus(self.cpu), self.memory_mib)
    }
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("the cluster has no host of this name"),
            Self::NotAsked { only } => write!(f, "only {only} was asked for"),
            Self::NoLocalPart => f.write_str("the template has no disk and no kernel to start a local machine from"),
            Self::NoCloudPart => f.write_str("the template doesn't say what to ask of a cloud: it has no EC2 part"),
            Self::OtherType { wanted, has } => write!(
                f,
                "its machines are {has}, and the template asks for {wanted}: leave the type out, or give the cluster's file a cloud of it"
            ),
            Self::Closed(why) => f.write_str(why),
            Self::Full { free, total, needed } => {
                let mut short = Vec::new();
                if needed.cpu > free.cpu {
                    let (free, total, needed) = (Cpus(free.cpu), Cpus(total.cpu), Cpus(needed.cpu));
                    short.push(format!("{free} of {total} CPU free, {needed} needed"));
                }
                if needed.memory_mib > free.memory_mib {
                    let (free, total, needed) = (free.memory_mib, total.memory_mib, needed.memory_mib);
                    short.push(format!("{free} of {total} MiB free, {needed} needed"));
                }
                let word = if needed.fits(*total) { "full" } else { "too small" };
                write!(f, "{word}: {}", short.join("; "))
            }
            Self::AllTaken { total: 1 } => f.write_str("full: its one machine is taken"),
            Self::AllTaken { total } => write!(f, "full: all {total} machines are taken"),
            Self::TooSmall { each, needed } => {
                write!(f, "its machines are too small: {each} each, {needed} needed")
            }
        }
    }
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.before {
            Space::Shared { total, allocated } => {
                write!(f, "{} free", Space::free(total, allocated))?;
            }
            Space::Machines { total, taken, .. } => write!(f, "{} of {total} machines free", total - taken)?,
        }
        f.write_str(match (self.only, self.strategy, self.before) {
            (true, ..) => "; asked for",
            (false, Strategy::Pack, Space::Shared { .. }) => "; the fullest physical host with room",
            (false, Strategy::Spread, Space::Shared { .. }) => "; the emptiest physical host with room",
            (false, _, Space::Machines { .. }) => "; no physical host can take it",
        })
    }
}

/// Hundredths of a processor.
struct Cpus(u32);

impl fmt::Display for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole}"),
            (whole, part) => write!(f, "{whole}.{part:02}"),
        }
    }
}
