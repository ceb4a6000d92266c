//! The mark of a state: a shape for each, so that no one has to tell colours apart.

use super::pen::Pen;
use crate::view::Tone;

/// Draws a mark of ten pixels around a point: a disc, a half disc, a ring, a cross.
pub(super) fn draw(tone: Tone, (x, y): (i32, i32), pen: &mut Pen) {
    match tone {
        Tone::Good => pen.raw(&format!(r#"<circle class="mark m-good" cx="{x}" cy="{y}" r="4"/>"#)),
        Tone::Busy => {
            pen.raw(&format!(r#"<circle class="mark hollow s-busy" cx="{x}" cy="{y}" r="4"/>"#));
            pen.path("m-busy", &format!("M{x} {} a4 4 0 0 0 0 8 z", y - 4));
        }
        Tone::Fading => pen.raw(&format!(r#"<circle class="mark m-fading" cx="{x}" cy="{y}" r="4"/>"#)),
        Tone::Bad => {
            pen.path("mark m-bad", &format!("M{} {} l8 8 m0 -8 l-8 8", x - 4, y - 4));
        }
    }
}
