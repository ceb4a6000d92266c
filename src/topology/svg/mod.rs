//! The picture for a browser: laid out here, drawn as plain SVG 1.1 with classes, for light and dark pages.

mod card;
mod front_end;
mod layout;
mod lines;
mod mark;
mod pen;

use layout::{Layout, MARGIN, WIDTH};
use pen::{Anchor, BODY, Pen, Rect, SMALL, STRONG, TITLE, escape};

use super::Topology;
use crate::view::Tone;

/// The picture as an SVG document.
pub fn svg(topology: &Topology) -> String {
    let layout = Layout::of(topology);
    let mut pen = Pen::default();
    open(topology, layout.height, &mut pen);
    header(topology, &mut pen);
    lines::vlan(topology, &layout, &mut pen);
    lines::tunnels(topology, &layout, &mut pen);
    front_end::draw(topology, layout.front_end, &mut pen);
    if !topology.clouds.is_empty() {
        lines::plug(lines::tunnel_end(&layout), &mut pen);
    }
    for (group, place) in topology.clouds.iter().zip(&layout.clouds) {
        card::draw(group, *place, &mut pen);
    }
    for (group, place) in topology.hosts.iter().zip(&layout.hosts) {
        card::draw(group, *place, &mut pen);
    }
    pen.raw("</svg>");
    pen.out
}

fn open(topology: &Topology, height: i32, pen: &mut Pen) {
    pen.raw(&format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">"#
    ));
    let (workers, hosts) = (topology.workers(), topology.hosts.len() + topology.clouds.len());
    let title = format!("Cluster {}: a front-end, {hosts} hosts and clouds, {workers} workers", topology.cluster);
    pen.raw(&format!("<title>{}</title>", escape(&title)));
    pen.raw(&format!("<style>{}</style>", include_str!("style.css").trim_end()));
    pen.rect(Rect { x: 0, y: 0, w: WIDTH, h: height }, 0, "paper");
}

/// The cluster's name, the moment, and every state that occurs with its mark, word and count.
fn header(topology: &Topology, pen: &mut Pen) {
    pen.text((MARGIN, 46), TITLE, "ink", Anchor::Start, &topology.cluster, 400);
    let x = MARGIN + TITLE.width(&topology.cluster).min(400) + 14;
    pen.text((x, 45), SMALL, "faint", Anchor::Start, &topology.moment, 300);
    let mut right = WIDTH - MARGIN;
    for (tone, word, count) in topology.tally.iter().rev() {
        let label = format!("{count} {word}");
        right -= STRONG.width(&label);
        pen.text((right, 45), STRONG, tone_class(*tone), Anchor::Start, &label, 200);
        right -= 12;
        mark::draw(*tone, (right, 41), pen);
        right -= 24;
    }
    if topology.tally.is_empty() {
        pen.text((right, 45), BODY, "dim", Anchor::End, "no workers yet", 200);
    }
}

/// The class of a tone's words.
fn tone_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Busy => "busy",
        Tone::Fading => "fading",
        Tone::Bad => "bad",
    }
}
