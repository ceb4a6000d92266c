//! `topology` on a terminal.

use super::tone::paint;
use crate::cli::Style;
use crate::topology::{Topology, text};
use crate::view::ClusterView;

/// The cluster as a picture of characters, as wide as the style says.
pub fn topology(view: &ClusterView, style: Style) -> String {
    let lines = text(&Topology::of(view), style.width());
    lines.iter().fold(String::new(), |mut out, runs| {
        for run in runs {
            match run.tone {
                Some(tone) => out.push_str(&paint(tone, &run.text, style.is_fancy())),
                None => out.push_str(&run.text),
            }
        }
        out + "\n"
    })
}
