//! The picture for a terminal.

mod canvas;

use canvas::Canvas;
pub use canvas::Run;

use super::{Group, Topology};
use crate::view::Tone;

/// The least room that a host's box needs.
const LEAST_BOX: usize = 25;
/// The room for the line that joins the rows of hosts.
const TRUNK: usize = 4;
/// The room at the right of a box's upper edge for its state and the corner.
const STATE_ROOM: usize = 13;
/// More workers than this in a box are counted, not drawn.
const MOST_WORKERS: usize = 12;

/// The picture as lines of runs, `width` columns wide (80 to 120 look good).
pub fn text(topology: &Topology, width: usize) -> Vec<Vec<Run>> {
    let width = width.clamp(72, 160);
    let mut canvas = Canvas::new(width);
    header(topology, width, &mut canvas);
    let front_end_width = (width * 2 / 5).clamp(32, 44);
    let bottom = front_end(topology, front_end_width, 2, &mut canvas);
    let clouds_bottom = clouds(topology, front_end_width, width, &mut canvas);
    hosts(topology, bottom, clouds_bottom.max(bottom), width, &mut canvas);
    canvas.lines()
}

fn header(topology: &Topology, width: usize, canvas: &mut Canvas) {
    let mut x = canvas.write(0, 0, &format!("cluster {}", topology.cluster), width, None);
    for (n, (tone, word, count)) in topology.tally.iter().enumerate() {
        x += canvas.write(x, 0, if n == 0 { ": " } else { ", " }, 2, None);
        x += canvas.write(x, 0, &format!("{count} {word}"), width.saturating_sub(x), Some(*tone));
    }
    let moment = topology.moment.chars().count();
    if x + moment + 2 <= width {
        canvas.write_right(width, 0, &topology.moment, moment, None);
    }
}

/// Draws the front-end and gives the row of its lower edge.
fn front_end(topology: &Topology, width: usize, y: usize, canvas: &mut Canvas) -> usize {
    let room = width - 4;
    let height = topology.services.len() + 5;
    canvas.outline(0, y, width, height);
    canvas.write(2, y, &format!(" front-end {} ", topology.front_end), room, None);
    for (n, service) in topology.services.iter().enumerate() {
        let row = y + 1 + n;
        let tone = Tone::from(service.state);
        canvas.write(2, row, &tone.mark().to_string(), 1, Some(tone));
        canvas.write(4, row, &format!("{:<8}{:<5}{}", service.name, service.state, service.detail), room - 2, None);
    }
    let [address, public, underlay] = &topology.addresses;
    let row = y + 1 + topology.services.len();
    canvas.write(2, row, &format!("public    {public}"), room, None);
    canvas.write(2, row + 1, &format!("underlay  {underlay}"), room, None);
    canvas.write(2, row + 2, &format!("bridge    {} {address}", topology.bridge), room, None);
    y + height - 1
}

/// Draws the clouds beside the front-end with their tunnels, and gives the row of the last one's lower edge.
fn clouds(topology: &Topology, front_end_width: usize, width: usize, canvas: &mut Canvas) -> usize {
    let x = front_end_width + 14;
    let mut y = 2;
    for cloud in &topology.clouds {
        let bottom = group(cloud, x, y, width - x, canvas);
        tunnels(cloud, front_end_width, x, y + 1, canvas);
        y = bottom + 1;
    }
    trunk_of_tunnels(topology, front_end_width, canvas);
    y.saturating_sub(1)
}

/// The line from a cloud: `◄──2 tunnels──┤` for the first, which is the one that meets the front-end.
fn tunnels(cloud: &Group, front_end_width: usize, x: usize, y: usize, canvas: &mut Canvas) {
    canvas.horizontal(front_end_width + 2, x, y);
    let count = cloud.connected();
    let label = format!("{count} tunnel{}", if count == 1 { "" } else { "s" });
    let start = front_end_width + 2 + (x - front_end_width - 2).saturating_sub(label.len()) / 2;
    canvas.write(start, y + 1, &label, x - start, None);
}

/// Joins the lines of all clouds at OpenVPN's row of the front-end.
fn trunk_of_tunnels(topology: &Topology, front_end_width: usize, canvas: &mut Canvas) {
    let mut rows = Vec::new();
    let mut y = 3;
    for cloud in &topology.clouds {
        rows.push(y);
        y += height(cloud);
    }
    if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
        canvas.vertical(front_end_width + 2, *first, *last);
        canvas.horizontal(front_end_width, front_end_width + 2, *first);
        canvas.write(front_end_width, *first, "◄", 1, None);
    }
}

/// Draws the hosts in rows below the front-end, each row on a line of the vLAN.
fn hosts(topology: &Topology, front_end_bottom: usize, above: usize, width: usize, canvas: &mut Canvas) {
    let mut bus = above + 2;
    let trunk = 2;
    canvas.write(trunk + 2, bus - 1, &topology.vlan_label(), width - trunk - 2, None);
    if topology.hosts.is_empty() {
        canvas.vertical(trunk, front_end_bottom, bus);
        canvas.horizontal(trunk, trunk + 20, bus);
        canvas.write(trunk + 22, bus, "no hosts yet", width - 24, None);
        return;
    }
    let columns = ((width - TRUNK + 1) / (LEAST_BOX + 1)).min(topology.hosts.len());
    let box_width = ((width - TRUNK + 1) / columns - 1).min(44);
    let mut last_bus = bus;
    for row in topology.hosts.chunks(columns) {
        let mut bottom = bus;
        for (n, host) in row.iter().enumerate() {
            let x = TRUNK + n * (box_width + 1);
            bottom = bottom.max(group(host, x, bus + 1, box_width, canvas));
            // In the middle of the box, but right of a long name.
            let port = x + (box_width / 2).max(host.name.chars().count() + 4).min(box_width - STATE_ROOM);
            canvas.horizontal(trunk, port, bus);
            canvas.vertical(port, bus, bus + 1);
        }
        last_bus = bus;
        bus = bottom + 1;
    }
    canvas.vertical(trunk, front_end_bottom, last_bus);
}

/// The rows that a group's box takes.
fn height(group: &Group) -> usize {
    let (shown, hidden) = group.shown(MOST_WORKERS);
    let lines = usize::from(group.bridge.is_some()) + group.facts.len() + usize::from(group.failure.is_some());
    2 + lines + shown.len() + usize::from(hidden > 0)
}

/// Draws a host or cloud and gives the row of its lower edge.
fn group(group: &Group, x: usize, y: usize, width: usize, canvas: &mut Canvas) -> usize {
    let room = width - 4;
    let left = x + 2;
    canvas.outline(x, y, width, height(group));
    let name = canvas::shorten(&group.name, width - STATE_ROOM - 5);
    canvas.write(left, y, &format!(" {name} "), room, None);
    if let Some((word, tone)) = group.state {
        canvas.write_right(x + width - 2, y, &format!(" {} {word} ", tone.mark()), room, Some(tone));
    }
    let mut row = y + 1;
    let failure = group.failure.iter().map(|failure| (failure.clone(), Some(Tone::Bad)));
    let bridge = group.bridge.iter().map(|bridge| (format!("bridge {bridge}"), None));
    for (line, tone) in bridge.chain(group.facts.iter().map(|fact| (fact.clone(), None))).chain(failure) {
        canvas.write(left, row, &line, room, tone);
        row += 1;
    }
    let (shown, hidden) = group.shown(MOST_WORKERS);
    for tile in shown {
        canvas.write(left, row, &tile.tone.mark().to_string(), 1, Some(tile.tone));
        let end = x + width - 2;
        let state = canvas.write_right(end, row, &tile.state, room / 2, Some(tile.tone));
        let left_room = room - 2 - state - 1;
        let wanted = tile.name.chars().count() + 1 + tile.address.len();
        let text = if wanted <= left_room { format!("{} {}", tile.name, tile.address) } else { tile.name.clone() };
        canvas.write(left + 2, row, &text, left_room, None);
        row += 1;
    }
    if hidden > 0 {
        canvas.write(left + 2, row, &format!("+ {hidden} more"), room - 2, None);
        row += 1;
    }
    row
}
