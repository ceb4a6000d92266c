//! A box with workers in it.

use crate::view::{HostKind, HostView, Tone, WorkerState, WorkerView, memory};

/// A host or cloud with its workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: GroupKind,
    /// Its state; `None` for machines that no host of ours carries.
    pub state: Option<(&'static str, Tone)>,
    /// Its bridge.
    pub bridge: Option<String>,
    /// Short facts, the most important first.
    pub facts: Vec<String>,
    /// Its last failure.
    pub failure: Option<String>,
    /// CPU promised to workers and in total, in hundredths; `None` when nobody knows.
    pub cpu: Option<(u32, u32)>,
    /// Its workers.
    pub workers: Vec<Tile>,
}

/// What a group is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupKind {
    /// A physical host.
    Physical,
    /// A cloud.
    Cloud,
    /// Machines that joined with a token, on no host of ours.
    Elsewhere,
}

/// A worker in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Its name.
    pub name: String,
    /// Its address, or nothing.
    pub address: String,
    /// State and stage.
    pub state: String,
    /// The state's word alone.
    pub word: &'static str,
    /// What the state feels like.
    pub tone: Tone,
    /// Whether its tunnel or port carries packets.
    pub connected: bool,
}

impl Tile {
    fn of(worker: &WorkerView) -> Self {
        Self {
            name: worker.name.clone(),
            address: worker.address.map(|address| address.to_string()).unwrap_or_default(),
            state: worker.state_text(),
            word: worker.state.as_str(),
            tone: worker.state.into(),
            connected: matches!(worker.state, WorkerState::Ready | WorkerState::Draining | WorkerState::Joining),
        }
    }
}

impl Group {
    /// A host with its workers.
    pub fn of<'v>(host: &HostView, workers: impl Iterator<Item = &'v WorkerView>) -> Self {
        let size = match host.total_memory {
            // A cloud's size is known only once its instances have said theirs.
            0 => format!("memory {}", memory(host.allocated_memory)),
            total => format!("memory {} of {}", memory(host.allocated_memory), memory(total)),
        };
        let place = host.underlay.map(|address| address.to_string()).or_else(|| host.detail.clone());
        Self {
            name: host.name.clone(),
            kind: match host.kind {
                HostKind::Physical => GroupKind::Physical,
                HostKind::Cloud => GroupKind::Cloud,
            },
            state: Some((host.state.as_str(), host.state.into())),
            bridge: host.bridge.clone(),
            facts: place.into_iter().chain([size]).collect(),
            failure: host.failure.clone(),
            cpu: Some((host.allocated_cpu, host.total_cpu)),
            workers: workers.map(Tile::of).collect(),
        }
    }

    /// Machines on no host of ours.
    pub fn elsewhere<'v>(workers: impl Iterator<Item = &'v WorkerView>) -> Self {
        Self {
            name: "elsewhere".into(),
            kind: GroupKind::Elsewhere,
            state: None,
            bridge: None,
            facts: vec!["joined with a token".into()],
            failure: None,
            cpu: None,
            workers: workers.map(Tile::of).collect(),
        }
    }

    /// At most `most` workers, and how many are left out. When some are, those that somebody should look at come first, and
    /// one place is kept for saying so.
    pub fn shown(&self, most: usize) -> (Vec<&Tile>, usize) {
        let mut tiles: Vec<&Tile> = self.workers.iter().collect();
        if tiles.len() <= most {
            return (tiles, 0);
        }
        tiles.sort_by_key(|tile| tile.tone);
        tiles.truncate(most.saturating_sub(1));
        let hidden = self.workers.len() - tiles.len();
        (tiles, hidden)
    }

    /// How many workers have a link to the front-end.
    pub fn connected(&self) -> usize {
        self.workers.iter().filter(|tile| tile.connected).count()
    }

    /// How many workers are in which state, those to look at first.
    pub fn tally(&self) -> Vec<(Tone, &'static str, usize)> {
        tally(&self.workers)
    }
}

/// How many workers are in which state, those to look at first.
pub(super) fn tally<'t>(tiles: impl IntoIterator<Item = &'t Tile>) -> Vec<(Tone, &'static str, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for tile in tiles {
        *counts.entry((tile.tone, tile.word)).or_insert(0) += 1;
    }
    counts.into_iter().map(|((tone, word), n)| (tone, word, n)).collect()
}
