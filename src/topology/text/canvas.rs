//! A grid of characters to draw lines, boxes and words on.

use crate::view::Tone;

const UP: u8 = 1;
const DOWN: u8 = 2;
const LEFT: u8 = 4;
const RIGHT: u8 = 8;

/// Some text in one tone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The text.
    pub text: String,
    /// What it feels like; `None` for lines and plain words.
    pub tone: Option<Tone>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    Blank,
    /// Which sides a line leaves to: crossing lines join by themselves.
    Line(u8),
    Letter(char, Option<Tone>),
}

/// The grid; it grows downwards as needed.
pub(super) struct Canvas {
    width: usize,
    rows: Vec<Vec<Cell>>,
}

impl Canvas {
    pub(super) fn new(width: usize) -> Self {
        Self { width, rows: Vec::new() }
    }

    fn cell(&mut self, x: usize, y: usize) -> Option<&mut Cell> {
        while self.rows.len() <= y {
            self.rows.push(vec![Cell::Blank; self.width]);
        }
        self.rows[y].get_mut(x)
    }

    fn join(&mut self, x: usize, y: usize, sides: u8) {
        if let Some(cell) = self.cell(x, y) {
            *cell = match cell {
                Cell::Line(others) => Cell::Line(*others | sides),
                _ => Cell::Line(sides),
            };
        }
    }

    pub(super) fn horizontal(&mut self, from: usize, to: usize, y: usize) {
        for x in from..=to {
            let left = if x > from { LEFT } else { 0 };
            let right = if x < to { RIGHT } else { 0 };
            self.join(x, y, left | right);
        }
    }

    pub(super) fn vertical(&mut self, x: usize, from: usize, to: usize) {
        for y in from..=to {
            let up = if y > from { UP } else { 0 };
            let down = if y < to { DOWN } else { 0 };
            self.join(x, y, up | down);
        }
    }

    /// The outline of a box from corner to corner.
    pub(super) fn outline(&mut self, x: usize, y: usize, width: usize, height: usize) {
        let (right, bottom) = (x + width - 1, y + height - 1);
        self.horizontal(x, right, y);
        self.horizontal(x, right, bottom);
        self.vertical(x, y, bottom);
        self.vertical(right, y, bottom);
    }

    /// Writes at most `room` characters, with an ellipsis when the text is longer; gives how many were written.
    pub(super) fn write(&mut self, x: usize, y: usize, text: &str, room: usize, tone: Option<Tone>) -> usize {
        let text = shorten(text, room);
        for (n, letter) in text.chars().enumerate() {
            if let Some(cell) = self.cell(x + n, y) {
                *cell = Cell::Letter(letter, tone);
            }
        }
        text.chars().count()
    }

    /// Like [`Canvas::write`], ending before column `end`.
    pub(super) fn write_right(&mut self, end: usize, y: usize, text: &str, room: usize, tone: Option<Tone>) -> usize {
        let text = shorten(text, room);
        self.write(end.saturating_sub(text.chars().count()), y, &text, room, tone)
    }

    /// The lines, each as runs of one tone, without white space at its end.
    pub(super) fn lines(&self) -> Vec<Vec<Run>> {
        self.rows.iter().map(|row| runs(row)).collect()
    }
}

/// The text in at most `room` characters.
pub(super) fn shorten(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let kept: String = text.chars().take(room.saturating_sub(1)).collect();
    if room == 0 { kept } else { kept + "…" }
}

fn runs(row: &[Cell]) -> Vec<Run> {
    let end =
        row.iter().rposition(|cell| !matches!(cell, Cell::Blank | Cell::Letter(' ', _))).map_or(0, |last| last + 1);
    let mut runs: Vec<Run> = Vec::new();
    for cell in &row[..end] {
        let (letter, tone) = match cell {
            Cell::Blank => (' ', None),
            Cell::Line(sides) => (line(*sides), None),
            Cell::Letter(letter, tone) => (*letter, *tone),
        };
        match runs.last_mut() {
            Some(run) if run.tone == tone => run.text.push(letter),
            _ => runs.push(Run { text: letter.into(), tone }),
        }
    }
    runs
}

fn line(sides: u8) -> char {
    const SIDES: [char; 16] = [' ', '╵', '╷', '│', '╴', '┘', '┐', '┤', '╶', '└', '┌', '├', '─', '┴', '┬', '┼'];
    SIDES[usize::from(sides & 15)]
}
