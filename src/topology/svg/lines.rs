//! The vLAN's line and the tunnels.

use super::front_end::tunnel_y;
use super::layout::{DROP, Layout, MARGIN, Place, TRUNK_X, WIDTH, port_x};
use super::pen::{Anchor, Pen, SMALL, STRONG};
use crate::topology::{Group, Tile, Topology};
use crate::view::Tone;

/// More tunnels than this of one cloud are drawn as one.
const MOST_TUNNELS: usize = 6;

/// The line from the front-end's bridge to every host's, with the vLAN's name on it.
pub(super) fn vlan(topology: &Topology, layout: &Layout, pen: &mut Pen) {
    let (first, last) = (layout.buses[0], *layout.buses.last().unwrap_or(&layout.buses[0]));
    pen.path("bus", &format!("M{TRUNK_X} {} V{last}", layout.front_end.bottom() - 8));
    for bus in &layout.buses {
        row(topology, layout, *bus, pen);
    }
    if topology.hosts.is_empty() {
        pen.text((TRUNK_X + 276, first + 4), STRONG, "faint", Anchor::Start, "no hosts yet", 200);
    }
    pen.text((TRUNK_X + 18, first - 14), STRONG, "lan-ink", Anchor::Start, &topology.vlan_label(), WIDTH - 2 * MARGIN);
    plug((TRUNK_X, first), pen);
}

/// One line and the hosts on it. A host that should be looked at hangs on a broken line.
fn row(topology: &Topology, layout: &Layout, bus: i32, pen: &mut Pen) {
    let placed = topology.hosts.iter().zip(&layout.hosts);
    let below: Vec<_> = placed.filter(|(_, place)| place.card.y - DROP == bus).collect();
    let right = below.iter().map(|(group, place)| port_x(group, place.card)).max();
    pen.path("bus", &format!("M{TRUNK_X} {bus} H{}", right.unwrap_or(TRUNK_X + 260)));
    for (group, place) in below {
        let broken = group.state.is_some_and(|(_, tone)| tone == Tone::Bad);
        let (x, y) = (port_x(group, place.card), place.card.y + 6);
        pen.path(if broken { "bus broken" } else { "bus" }, &format!("M{x} {bus} V{y}"));
    }
}

/// Where a line meets a box.
pub(super) fn plug((x, y): (i32, i32), pen: &mut Pen) {
    pen.raw(&format!(r#"<circle class="plug" cx="{x}" cy="{y}" r="6"/>"#));
}

/// Where the tunnels meet the front-end.
pub(super) fn tunnel_end(layout: &Layout) -> (i32, i32) {
    (layout.front_end.right(), tunnel_y(layout.front_end))
}

/// A line for each worker's tunnel, or one thick line when there are many.
pub(super) fn tunnels(topology: &Topology, layout: &Layout, pen: &mut Pen) {
    if layout.clouds.is_empty() {
        return;
    }
    let end = tunnel_end(layout);
    border(layout, end.0, pen);
    for (cloud, place) in topology.clouds.iter().zip(&layout.clouds) {
        bundle(cloud, *place, end, pen);
    }
}

/// Where the own site ends and the Internet begins.
fn border(layout: &Layout, left: i32, pen: &mut Pen) {
    let x = left + 84;
    let top = layout.front_end.y;
    let bottom =
        layout.clouds.iter().map(|place| place.card.bottom()).max().unwrap_or(top).max(layout.front_end.bottom());
    pen.path("ghost", &format!("M{x} {top} V{bottom}"));
    pen.text((x + 10, bottom - 2), SMALL, "faint", Anchor::Start, "Internet", 80);
}

fn bundle(cloud: &Group, Place { card, .. }: Place, end: (i32, i32), pen: &mut Pen) {
    let connected: Vec<&Tile> = cloud.workers.iter().filter(|tile| tile.connected).collect();
    let middle = (card.y + 40).min(card.middle()).max(card.y + 24);
    if connected.len() <= MOST_TUNNELS {
        let spread = i32::try_from(connected.len().saturating_sub(1)).unwrap_or(0) * 14;
        for (n, tile) in connected.iter().enumerate() {
            let y = middle - spread / 2 + i32::try_from(n).unwrap_or(0) * 14;
            curve((card.x, y), end, tile.tone, 2, pen);
        }
    } else {
        curve((card.x, middle), end, Tone::Good, 6, pen);
    }
    label(connected.len(), (card.x, middle), middle > end.1, pen);
}

fn curve(from: (i32, i32), to: (i32, i32), tone: Tone, width: i32, pen: &mut Pen) {
    let bend = i32::midpoint(from.0, to.0);
    let d = format!("M{} {} C{bend} {} {bend} {} {} {}", from.0, from.1, from.1, to.1, to.0, to.1);
    let class = match tone {
        Tone::Good => "s-good",
        Tone::Busy => "s-busy",
        Tone::Fading => "s-fading",
        Tone::Bad => "s-bad",
    };
    pen.raw(&format!(r#"<path class="tunnel {class}" style="stroke-width:{width}" d="{d}"/>"#));
}

/// How many tunnels, in words, where a cloud's lines start: on the side from which they don't come.
fn label(count: usize, (x, y): (i32, i32), below: bool, pen: &mut Pen) {
    let text = match count {
        0 => "no tunnel yet".to_owned(),
        1 => "1 OpenVPN tunnel".to_owned(),
        n => format!("{n} OpenVPN tunnels"),
    };
    let spread = if (1..=MOST_TUNNELS).contains(&count) { i32::try_from(count - 1).unwrap_or(0) * 7 } else { 0 };
    let y = if below { y + spread + 20 } else { y - spread - 12 };
    pen.text((x - 12, y), STRONG, "dim", Anchor::End, &text, 160);
}
