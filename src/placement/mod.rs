//! Which host takes the next worker. Pure: rooms and a wish in, a host or the reasons against each out.
//!
//! Physical hosts come before clouds. Among the hosts of a kind that have room, `pack` takes the one whose scarcer resource is
//! most in use, `spread` the one where it is least in use; the file's order decides between equals.

mod why;

use landbridge_pki::NodeName;
use serde::{Deserialize, Serialize};

pub use why::{Against, Chosen};

/// Processors and memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Processors in hundredths.
    pub cpu: u32,
    /// In MiB.
    pub memory_mib: u64,
}

/// A host as placement sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// Its name.
    pub name: NodeName,
    /// Why it takes no worker now whatever its room, in words: `silent since 12:03`, `has no hypervisor`.
    pub closed: Option<String>,
    /// The type of its machines: a cloud's.
    pub machine_type: Option<String>,
    /// What is there, and what is promised.
    pub space: Space,
}

/// What a host has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// A physical host: its workers share it.
    Shared {
        /// All of it.
        total: Size,
        /// Promised to workers; more than `total` when the file was changed under them.
        allocated: Size,
    },
    /// A cloud: each worker has a machine.
    Machines {
        /// At most so many.
        total: u32,
        /// Promised to workers.
        taken: u32,
        /// The size of one, when the cloud has told it.
        each: Option<Size>,
    },
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// How many workers, all alike.
    pub count: u32,
    /// What one is promised.
    pub size: Size,
    /// Whether the template says how to run on a physical host.
    pub runs_on_physical: bool,
    /// Whether the template says what to ask of a cloud.
    pub runs_in_cloud: bool,
    /// The type that a cloud's machine has to be of, where the template says so.
    pub machine_type: Option<String>,
    /// Only on this host.
    pub on: Option<NodeName>,
    /// How to choose between hosts with room.
    pub strategy: Strategy,
}

/// How to choose between hosts with room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Fill one host before the next: the others can be switched off.
    #[default]
    Pack,
    /// Keep all hosts equally busy.
    Spread,
}

/// What became of one worker of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    /// It goes there.
    On {
        /// The host.
        host: NodeName,
        /// Why this one.
        chosen: Chosen,
        /// The others that could not take it.
        against: Vec<(NodeName, Against)>,
    },
    /// No host takes it; why not each, in the order of the rooms.
    Nowhere {
        /// Why not each.
        against: Vec<(NodeName, Against)>,
    },
}

/// A host for each worker of the wish, each counted before the next is placed. Deterministic.
pub fn place(rooms: &[Room], wish: &Wish) -> Vec<Placed> {
    let mut rooms = rooms.to_vec();
    (0..wish.count).map(|_| place_one(&mut rooms, wish)).collect()
}

fn place_one(rooms: &mut [Room], wish: &Wish) -> Placed {
    let against: Vec<_> =
        rooms.iter().filter_map(|room| room.against(wish).map(|why| (room.name.clone(), why))).collect();
    let unknown = wish.on.as_ref().filter(|name| rooms.iter().all(|room| room.name != **name));
    if let Some(name) = unknown {
        return Placed::Nowhere { against: vec![(name.clone(), Against::Unknown)] };
    }
    let best = rooms
        .iter_mut()
        .enumerate()
        .filter(|(_, room)| room.against(wish).is_none())
        .min_by_key(|(order, room)| (room.is_cloud(), wish.strategy.rank(room.space.used()), *order));
    let Some((_, room)) = best else { return Placed::Nowhere { against } };
    let chosen = Chosen { only: wish.on.is_some(), strategy: wish.strategy, before: room.space };
    room.space.take(wish.size);
    Placed::On { host: room.name.clone(), chosen, against }
}

impl Strategy {
    /// Lower is better.
    fn rank(self, used: u64) -> u64 {
        match self {
            Self::Pack => u64::MAX - used,
            Self::Spread => used,
        }
    }
}

impl Room {
    fn is_cloud(&self) -> bool {
        matches!(self.space, Space::Machines { .. })
    }

    /// Why one worker of the wish can't go there.
    fn against(&self, wish: &Wish) -> Option<Against> {
        if let Some(only) = wish.on.as_ref().filter(|name| **name != self.name) {
            return Some(Against::NotAsked { only: only.clone() });
        }
        match self.space {
            Space::Shared { .. } if !wish.runs_on_physical => return Some(Against::NoLocalPart),
            Space::Machines { .. } if !wish.runs_in_cloud => return Some(Against::NoCloudPart),
            _ => {}
        }
        let types = wish.machine_type.as_ref().zip(self.machine_type.as_ref());
        if let Some((wanted, has)) = types.filter(|(wanted, has)| wanted != has) {
            return Some(Against::OtherType { wanted: wanted.clone(), has: has.clone() });
        }
        self.closed.clone().map(Against::Closed).or_else(|| self.space.lacks(wish.size))
    }
}

impl Space {
    /// What is free.
    fn free(total: Size, allocated: Size) -> Size {
        Size {
            cpu: total.cpu.saturating_sub(allocated.cpu),
            memory_mib: total.memory_mib.saturating_sub(allocated.memory_mib),
        }
    }

    fn lacks(self, needed: Size) -> Option<Against> {
        match self {
            Self::Shared { total, allocated } => {
                let free = Self::free(total, allocated);
                (!needed.fits(free)).then_some(Against::Full { free, total, needed })
            }
            Self::Machines { total, taken, .. } if taken >= total => Some(Against::AllTaken { total }),
            Self::Machines { each: Some(each), .. } if !needed.fits(each) => Some(Against::TooSmall { each, needed }),
            Self::Machines { .. } => None,
        }
    }

    /// How much of the scarcer resource is promised, in millionths.
    fn used(self) -> u64 {
        let share = |part: u64, whole: u64| part.saturating_mul(1_000_000) / whole.max(1);
        match self {
            Self::Shared { total, allocated } => {
                share(allocated.cpu.into(), total.cpu.into()).max(share(allocated.memory_mib, total.memory_mib))
            }
            Self::Machines { total, taken, .. } => share(taken.into(), total.into()),
        }
    }

    fn take(&mut self, size: Size) {
        match self {
            Self::Shared { allocated, .. } => {
                allocated.cpu = allocated.cpu.saturating_add(size.cpu);
                allocated.memory_mib = allocated.memory_mib.saturating_add(size.memory_mib);
            }
            Self::Machines { taken, .. } => *taken += 1,
        }
    }
}

impl Size {
    fn fits(self, room: Self) -> bool {
        self.cpu <= room.cpu && self.memory_mib <= room.memory_mib
    }
}
