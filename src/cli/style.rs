//! Whether output is for a person at a terminal.

use std::io::IsTerminal;

/// How output looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// For a terminal: colours, and its width in columns.
    Fancy {
        /// The terminal's width.
        width: usize,
    },
    /// The same text without colours, 100 columns wide: for `NO_COLOR`, files and tests.
    Plain,
}

impl Style {
    /// What suits a stream: fancy when it is a terminal and `NO_COLOR` (no-color.org) isn't set.
    pub fn of(stream: &impl IsTerminal) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if !stream.is_terminal() || no_color {
            return Self::Plain;
        }
        let width = comfy_table::Table::new().width().map_or(100, usize::from);
        Self::Fancy { width }
    }

    /// Columns to fill.
    pub fn width(self) -> usize {
        match self {
            Self::Fancy { width } => width,
            Self::Plain => 100,
        }
    }

    /// Whether to use colours.
    pub fn is_fancy(self) -> bool {
        self != Self::Plain
    }
}
