//! Lists: plain aligned columns, or JSON.

use clap::ValueEnum;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use super::tone::color;
use crate::cli::Style;
use crate::view::Tone;

/// The form of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Columns for people.
    #[default]
    Table,
    /// JSON for programs.
    Json,
}

/// Any view as JSON for programs, indented, with a final newline.
pub fn json<T: Serialize + ?Sized>(view: &T) -> String {
    let mut text = serde_json::to_string_pretty(view).expect("views have text keys only");
    text.push('\n');
    text
}

/// Columns without borders, as `onehost list` and `kubectl get` print them.
pub(super) struct Columns {
    table: Table,
    style: Style,
}

impl Columns {
    /// A header; a name that ends with `>` is a column of numbers, aligned to the right.
    pub(super) fn new(header: &[&str], style: Style) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(header.iter().map(|name| name.trim_end_matches('>')));
        for (index, name) in header.iter().enumerate() {
            let column = table.column_mut(index).expect("a column for every header");
            column.set_padding((0, 2));
            if name.ends_with('>') {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        if style.is_fancy() {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        Self { table, style }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.table.add_row(cells.into_iter().collect::<Vec<_>>());
    }

    /// A cell whose colour tells how a person should feel about it.
    pub(super) fn toned(&self, text: impl ToString, tone: impl Into<Tone>) -> Cell {
        let cell = Cell::new(text);
        if self.style.is_fancy() { cell.fg(color(tone.into())) } else { cell }
    }

    /// The rows as text, without trailing white space.
    pub(super) fn finish(self) -> String {
        self.table.lines().fold(String::new(), |out, line| out + line.trim_end() + "\n")
    }
}
