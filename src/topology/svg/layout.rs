//! Where everything stands.

use super::pen::Rect;
use crate::topology::{Group, GroupKind, Topology};

/// The picture's width in pixels.
pub(super) const WIDTH: i32 = 1144;
/// The free space around everything.
pub(super) const MARGIN: i32 = 36;
/// The height of a bridge's strip.
pub(super) const STRIP: i32 = 26;
/// The height of a service's row in the front-end.
pub(super) const SERVICE_ROW: i32 = 24;
/// From a card's edge to what is in it.
pub(super) const PADDING: i32 = 14;

const TOP: i32 = 76;
const GAP: i32 = 24;
const FRONT_END_WIDTH: i32 = 348;
const CLOUD_X: i32 = 660;
/// Where the vLAN's line leaves the front-end.
pub(super) const TRUNK_X: i32 = MARGIN + 30;
/// From the vLAN's line to the hosts on it.
pub(super) const DROP: i32 = 26;
/// A group with more workers than this shows small tiles.
const LARGE_TILES: usize = 4;
/// Rows of small tiles at most.
const MOST_ROWS: usize = 6;
/// … and in a cloud, whose card is wider.
const MOST_CLOUD_ROWS: usize = 4;

/// The tiles in a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) columns: usize,
    /// Places in all, the one for "+ 37 more" included.
    pub(super) places: usize,
    pub(super) tile_w: i32,
    pub(super) tile_h: i32,
}

impl Grid {
    pub(super) const GAP: i32 = 6;

    fn of(workers: usize, width: i32, most_rows: usize) -> Self {
        let inner = width - 2 * PADDING;
        let (least, tile_h) = if workers <= LARGE_TILES { (196, 42) } else { (92, 26) };
        let columns = usize::try_from((inner + Self::GAP) / (least + Self::GAP)).unwrap_or(1).max(1);
        let wide = i32::try_from(columns).unwrap_or(1);
        let tile_w = (inner - (wide - 1) * Self::GAP) / wide;
        let most = if workers <= LARGE_TILES { LARGE_TILES } else { columns * most_rows };
        Self { columns, places: workers.min(most), tile_w, tile_h }
    }

    fn height(self) -> i32 {
        let rows = i32::try_from(self.places.div_ceil(self.columns)).unwrap_or(0);
        rows * (self.tile_h + Self::GAP)
    }
}

/// Where a group's card stands, and its tiles in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) card: Rect,
    pub(super) grid: Grid,
}

/// The height of a card's head: bridge, name, facts.
pub(super) fn head_height(group: &Group) -> i32 {
    let strip = if group.bridge.is_some() { STRIP } else { 0 };
    let facts = i32::try_from(group.facts.len() + usize::from(group.failure.is_some())).unwrap_or(0);
    let bar = if group.cpu.is_some() { 22 } else { 0 };
    strip + 32 + facts * 17 + bar
}

fn place(group: &Group, x: i32, y: i32, w: i32) -> Place {
    let most_rows = if group.kind == GroupKind::Physical { MOST_ROWS } else { MOST_CLOUD_ROWS };
    let grid = Grid::of(group.workers.len(), w, most_rows);
    let tally = if group.workers.len() > LARGE_TILES { 20 } else { 0 };
    let h = head_height(group) + 8 + grid.height() + tally + if group.workers.is_empty() { 26 } else { 8 };
    Place { card: Rect { x, y, w, h }, grid }
}

/// Everything's place.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) height: i32,
    pub(super) front_end: Rect,
    pub(super) clouds: Vec<Place>,
    pub(super) hosts: Vec<Place>,
    /// The heights of the vLAN's lines, one above each row of hosts.
    pub(super) buses: Vec<i32>,
}

impl Layout {
    pub(super) fn of(topology: &Topology) -> Self {
        let services = i32::try_from(topology.services.len()).unwrap_or(0);
        let front_end = Rect { x: MARGIN, y: TOP, w: FRONT_END_WIDTH, h: 104 + services * SERVICE_ROW + STRIP };
        let clouds = column(&topology.clouds);
        let above = clouds.last().map_or(0, |place| place.card.bottom()).max(front_end.bottom());
        let (hosts, buses) = rows(&topology.hosts, above + 64);
        let lowest = hosts.iter().map(|place| place.card.bottom()).max();
        let height = lowest.unwrap_or(above + 64 + 60) + MARGIN;
        Self { height, front_end, clouds, hosts, buses }
    }
}

/// Clouds stand above each other at the right.
fn column(clouds: &[Group]) -> Vec<Place> {
    let mut y = TOP;
    let placed = clouds.iter().map(|group| {
        let place = place(group, CLOUD_X, y, WIDTH - MARGIN - CLOUD_X);
        y = place.card.bottom() + GAP;
        place
    });
    placed.collect()
}

/// Hosts stand in rows of at most four, each row below a line of the vLAN; the cards of a row have one height.
fn rows(hosts: &[Group], first_bus: i32) -> (Vec<Place>, Vec<i32>) {
    let columns = hosts.len().clamp(1, 4);
    // Several rows leave room for the line that joins them.
    let left = if hosts.len() > columns { TRUNK_X + 34 } else { MARGIN };
    let room = WIDTH - MARGIN - left;
    let wide = i32::try_from(columns).unwrap_or(1);
    let w = ((room - (wide - 1) * GAP) / wide).min(524);
    let (mut places, mut buses) = (Vec::new(), Vec::new());
    let mut bus = first_bus;
    for row in hosts.chunks(columns) {
        let mut x = left;
        let start = places.len();
        for group in row {
            places.push(place(group, x, bus + DROP, w));
            x += w + GAP;
        }
        let tallest = places[start..].iter().map(|place| place.card.h).max().unwrap_or(0);
        places[start..].iter_mut().for_each(|place| place.card.h = tallest);
        buses.push(bus);
        bus += DROP + tallest + 40;
    }
    if buses.is_empty() {
        buses.push(first_bus);
    }
    (places, buses)
}

/// Where a host's card meets the vLAN's line.
pub(super) fn port_x(group: &Group, card: Rect) -> i32 {
    if group.kind == GroupKind::Physical { card.x + 30 } else { card.x + card.w / 2 }
}
