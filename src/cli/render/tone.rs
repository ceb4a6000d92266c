//! Tones as a terminal's colours.

use comfy_table::Color;

use crate::view::Tone;

/// The terminal's colour: cyan, yellow, magenta and red differ for most colour-blind people.
pub(super) fn color(tone: Tone) -> Color {
    match tone {
        Tone::Good => Color::DarkCyan,
        Tone::Busy => Color::DarkYellow,
        Tone::Fading => Color::DarkMagenta,
        Tone::Bad => Color::DarkRed,
    }
}

/// The text in the tone's colour when `fancy`.
pub(super) fn paint(tone: Tone, text: &str, fancy: bool) -> String {
    if !fancy {
        return text.to_owned();
    }
    let code = match tone {
        Tone::Good => 36,
        Tone::Busy => 33,
        Tone::Fading => 35,
        Tone::Bad => 31,
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}
