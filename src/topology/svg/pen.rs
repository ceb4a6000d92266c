//! Writes SVG elements. Every text goes through the escape.

use std::fmt::Write as _;

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) w: i32,
    pub(super) h: i32,
}

impl Rect {
    pub(super) fn right(self) -> i32 {
        self.x + self.w
    }

    pub(super) fn bottom(self) -> i32 {
        self.y + self.h
    }

    pub(super) fn middle(self) -> i32 {
        self.y + self.h / 2
    }
}

/// A text's look: the class in style.css, and how wide a letter is in tenths of a pixel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Font {
    pub(super) class: &'static str,
    letter: i32,
}

pub(super) const TITLE: Font = Font { class: "title", letter: 150 };
pub(super) const NAME: Font = Font { class: "name", letter: 98 };
pub(super) const BODY: Font = Font { class: "body", letter: 74 };
pub(super) const STRONG: Font = Font { class: "strong", letter: 76 };
pub(super) const MONO: Font = Font { class: "mono", letter: 67 };
pub(super) const SMALL: Font = Font { class: "small", letter: 64 };

impl Font {
    /// About how wide the text is, rather too wide than too narrow.
    pub(super) fn width(self, text: &str) -> i32 {
        i32::try_from(text.chars().count()).unwrap_or(i32::MAX / 1000).saturating_mul(self.letter) / 10
    }

    /// The text, with an ellipsis when it is wider than `room`.
    fn fit(self, text: &str, room: i32) -> String {
        if self.width(text) <= room {
            return text.to_owned();
        }
        let letters = usize::try_from(room * 10 / self.letter - 1).unwrap_or(0);
        text.chars().take(letters).collect::<String>() + "…"
    }
}

/// Where a text's x is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Default)]
pub(super) struct Pen {
    pub(super) out: String,
}

impl Pen {
    pub(super) fn raw(&mut self, element: &str) {
        self.out.push_str(element);
        self.out.push('\n');
    }

    pub(super) fn rect(&mut self, r: Rect, radius: i32, class: &str) {
        let Rect { x, y, w, h } = r;
        let _ = writeln!(self.out, r#"<rect class="{class}" x="{x}" y="{y}" width="{w}" height="{h}" rx="{radius}"/>"#);
    }

    pub(super) fn path(&mut self, class: &str, d: &str) {
        let _ = writeln!(self.out, r#"<path class="{class}" d="{d}"/>"#);
    }

    /// A text of at most `room` pixels. `ink` is a second class, for its colour.
    pub(super) fn text(&mut self, (x, y): (i32, i32), font: Font, ink: &str, anchor: Anchor, text: &str, room: i32) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => r#" text-anchor="middle""#,
            Anchor::End => r#" text-anchor="end""#,
        };
        let class = font.class;
        let text = escape(&font.fit(text, room));
        let _ = writeln!(self.out, r#"<text class="{class} {ink}" x="{x}" y="{y}"{anchor}>{text}</text>"#);
    }

    /// Starts a group that shows `title` when pointed at.
    pub(super) fn open(&mut self, title: &str) {
        let _ = writeln!(self.out, "<g><title>{}</title>", escape(title));
    }

    pub(super) fn close(&mut self) {
        self.raw("</g>");
    }
}

/// A text as XML wants it; characters that XML 1.0 has no place for are replaced.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            control if control.is_control() || ('\u{fffe}'..='\u{ffff}').contains(&control) => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
