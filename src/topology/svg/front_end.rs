//! The front-end's card.

use super::layout::{PADDING, SERVICE_ROW, STRIP};
use super::pen::{Anchor, BODY, MONO, NAME, Pen, Rect, SMALL, STRONG};
use super::{mark, tone_class};
use crate::topology::Topology;
use crate::view::Tone;

/// From the card's upper edge to the middle of its first service.
const FIRST_SERVICE: i32 = 104;

/// The height where tunnels arrive: OpenVPN's row.
pub(super) fn tunnel_y(card: Rect) -> i32 {
    card.y + FIRST_SERVICE
}

/// Name, addresses, services with their states, and the bridge along the lower edge.
pub(super) fn draw(topology: &Topology, card: Rect, pen: &mut Pen) {
    let [address, public, underlay] = &topology.addresses;
    let (left, right) = (card.x + PADDING, card.right() - PADDING);
    pen.rect(card, 12, "card");
    pen.text((left, card.y + 28), NAME, "ink", Anchor::Start, &topology.front_end, 200);
    pen.text((right, card.y + 28), SMALL, "dim", Anchor::End, "front-end", 100);
    for (y, what, value) in [(50, "public", public), (68, "underlay", underlay)] {
        pen.text((left, card.y + y), BODY, "dim", Anchor::Start, what, 80);
        pen.text((left + 66, card.y + y), MONO, "ink", Anchor::Start, value, 200);
    }
    let mut y = card.y + FIRST_SERVICE;
    for service in &topology.services {
        let tone = Tone::from(service.state);
        mark::draw(tone, (left + 6, y), pen);
        pen.text((left + 22, y + 4), STRONG, "ink", Anchor::Start, &service.name, 80);
        pen.text((left + 92, y + 4), BODY, "dim", Anchor::Start, &service.detail, right - left - 92 - 40);
        pen.text((right, y + 4), STRONG, tone_class(tone), Anchor::End, service.state.as_str(), 40);
        y += SERVICE_ROW;
    }
    strip(Rect { x: card.x, y: card.bottom() - STRIP, w: card.w, h: STRIP }, false, &topology.bridge, address, pen);
}

/// A bridge: a strip in the vLAN's colour, at the upper or lower edge of a card, with its name and an address.
pub(super) fn strip(place: Rect, at_top: bool, bridge: &str, address: &str, pen: &mut Pen) {
    let Rect { x, y, w, h } = place;
    let (right, bottom, r) = (place.right(), place.bottom(), 12);
    let outline = if at_top {
        format!("M{x} {bottom} V{} a{r} {r} 0 0 1 {r} -{r} H{} a{r} {r} 0 0 1 {r} {r} V{bottom} z", y + r, right - r)
    } else {
        format!("M{x} {y} V{} a{r} {r} 0 0 0 {r} {r} H{} a{r} {r} 0 0 0 {r} -{r} V{y} z", bottom - r, right - r)
    };
    pen.path("lan", &outline);
    let line = y + h / 2 + 4;
    pen.text((x + PADDING, line), STRONG, "on-lan", Anchor::Start, "bridge", 60);
    let room = w - PADDING - 64 - if address.is_empty() { 0 } else { 116 };
    pen.text((x + 64, line), MONO, "on-lan", Anchor::Start, bridge, room);
    pen.text((right - PADDING, line), MONO, "on-lan", Anchor::End, address, 116);
}
