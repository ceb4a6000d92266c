//! A host's or cloud's card with its workers.

use super::front_end::strip;
use super::layout::{Grid, PADDING, Place, STRIP, head_height};
use super::pen::{Anchor, BODY, MONO, NAME, Pen, Rect, SMALL, STRONG};
use super::{mark, tone_class};
use crate::topology::{Group, GroupKind, Tile};
use crate::view::Tone;

/// The card: bridge, name and state, facts, how much is promised, workers.
pub(super) fn draw(group: &Group, place: Place, pen: &mut Pen) {
    let card = place.card;
    pen.open(&summary(group));
    pen.rect(card, 12, if group.kind == GroupKind::Physical { "card" } else { "cloud" });
    if let Some(bridge) = &group.bridge {
        strip(Rect { h: STRIP, ..card }, true, bridge, "", pen);
    }
    head(group, card, pen);
    pen.close();
    workers(group, place, pen);
}

fn summary(group: &Group) -> String {
    let state = group.state.map(|(word, _)| format!(" ({word})")).unwrap_or_default();
    let facts = group.failure.iter().chain(&group.facts).map(String::as_str).collect::<Vec<_>>().join("; ");
    format!("{}{state}: {facts}", group.name)
}

fn head(group: &Group, card: Rect, pen: &mut Pen) {
    let (left, right) = (card.x + PADDING, card.right() - PADDING);
    let mut y = card.y + 24 + if group.bridge.is_some() { STRIP } else { 0 };
    let mut room = right - left;
    if let Some((word, tone)) = group.state {
        pen.text((right, y), STRONG, tone_class(tone), Anchor::End, word, 80);
        let x = right - STRONG.width(word) - 12;
        mark::draw(tone, (x, y - 4), pen);
        room = x - left - 12;
    }
    pen.text((left, y), NAME, "ink", Anchor::Start, &group.name, room);
    for fact in &group.facts {
        y += 17;
        pen.text((left, y), BODY, "dim", Anchor::Start, fact, right - left);
    }
    if let Some(failure) = &group.failure {
        y += 17;
        pen.text((left, y), BODY, "bad", Anchor::Start, failure, right - left);
    }
    if let Some((promised, total)) = group.cpu {
        let label = format!("{} of {} CPUs", promised / 100, total / 100);
        let bar = Rect { x: left, y: y + 13, w: right - left - 84, h: 6 };
        pen.rect(bar, 3, "track");
        let share = i64::from(bar.w) * i64::from(promised.min(total)) / i64::from(total.max(1));
        if share > 0 {
            pen.rect(Rect { w: i32::try_from(share).unwrap_or(bar.w).max(6), ..bar }, 3, "fill");
        }
        pen.text((right, y + 20), SMALL, "dim", Anchor::End, &label, 84);
    }
}

fn workers(group: &Group, Place { card, grid }: Place, pen: &mut Pen) {
    let (left, top) = (card.x + PADDING, card.y + head_height(group) + 8);
    if group.workers.is_empty() {
        pen.text((left, top + 12), BODY, "faint", Anchor::Start, "no workers", 100);
        return;
    }
    let (shown, hidden) = group.shown(grid.places);
    let place = |n: usize| {
        let (column, row) =
            (i32::try_from(n % grid.columns).unwrap_or(0), i32::try_from(n / grid.columns).unwrap_or(0));
        let (x, y) = (left + column * (grid.tile_w + Grid::GAP), top + row * (grid.tile_h + Grid::GAP));
        Rect { x, y, w: grid.tile_w, h: grid.tile_h }
    };
    let paper = if group.kind == GroupKind::Physical { "tile" } else { "on-cloud" };
    for (n, worker) in shown.iter().enumerate() {
        tile(worker, place(n), paper, pen);
    }
    if hidden > 0 {
        let r = place(shown.len());
        pen.rect(r, 6, "ghost");
        pen.text((r.x + r.w / 2, r.middle() + 4), STRONG, "dim", Anchor::Middle, &format!("+ {hidden} more"), r.w);
    }
    if group.workers.len() > 4 {
        tally(group, (left, card.bottom() - 12), card.w - 2 * PADDING, pen);
    }
}

/// How many workers are in which state: in words, or by their marks where the words don't fit.
fn tally(group: &Group, (mut x, y): (i32, i32), room: i32, pen: &mut Pen) {
    let counts = group.tally();
    let words: Vec<_> = counts.iter().map(|(tone, word, count)| (*tone, format!("{count} {word}"))).collect();
    if words.iter().map(|(_, label)| SMALL.width(label) + 12).sum::<i32>() <= room + 12 {
        for (tone, label) in words {
            pen.text((x, y), SMALL, tone_class(tone), Anchor::Start, &label, room);
            x += SMALL.width(&label) + 12;
        }
        return;
    }
    for tone in [Tone::Bad, Tone::Busy, Tone::Fading, Tone::Good] {
        let count: usize = counts.iter().filter(|(other, _, _)| *other == tone).map(|(_, _, count)| count).sum();
        if count > 0 {
            mark::draw(tone, (x + 5, y - 4), pen);
            pen.text((x + 14, y), SMALL, tone_class(tone), Anchor::Start, &count.to_string(), 40);
            x += 44;
        }
    }
}

fn tile(worker: &Tile, r: Rect, paper: &str, pen: &mut Pen) {
    pen.open(&format!("{} {}: {}", worker.name, worker.address, worker.state));
    let tinted = match worker.tone {
        Tone::Good => paper,
        Tone::Busy => "t-busy",
        Tone::Fading => "t-fading",
        Tone::Bad => "t-bad",
    };
    pen.rect(r, 6, tinted);
    let (left, right) = (r.x + 26, r.right() - 9);
    if r.h > 30 {
        mark::draw(worker.tone, (r.x + 14, r.y + 15), pen);
        let state = STRONG.width(&worker.state).min(r.w * 3 / 5);
        pen.text((left, r.y + 19), STRONG, "ink", Anchor::Start, &worker.name, right - left - state - 8);
        pen.text((right, r.y + 19), STRONG, tone_class(worker.tone), Anchor::End, &worker.state, r.w * 3 / 5);
        pen.text((left, r.y + 34), MONO, "dim", Anchor::Start, &worker.address, right - left);
    } else {
        mark::draw(worker.tone, (r.x + 13, r.middle()), pen);
        pen.text((r.x + 24, r.middle() + 4), BODY, "ink", Anchor::Start, &worker.name, right - r.x - 24);
    }
    pen.close();
}
