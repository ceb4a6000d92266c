//! A section: what one measurement has to tell.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Goal;
use crate::bench::Outcome;
use crate::bench::statistics::{Sample, Unit};

/// What one measurement has to tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// The measurement's name.
    pub name: String,
    /// Its heading.
    pub title: String,
    /// When it began, in UTC.
    pub began: String,
    /// How long it took, in seconds.
    pub took_secs: f64,
    /// What one has to know to read or repeat it, a paragraph each.
    pub conditions: Vec<String>,
    /// What was measured.
    pub tables: Vec<Table>,
    /// What it is held against.
    pub goals: Vec<Goal>,
    /// Drawings, each a file beside the document.
    pub pictures: Vec<Picture>,
    /// What could not be measured, and why.
    pub failures: Vec<String>,
}

/// A table: rows that were measured alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The column heads; the first is the rows'.
    pub columns: Vec<String>,
    /// In order.
    pub rows: Vec<Row>,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its name.
    pub label: String,
    /// One a column, the first aside.
    pub cells: Vec<Cell>,
}

/// What stands in a row under a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cell {
    /// Several runs.
    Sample(Sample),
    /// A number made of others.
    Value(Unit, f64),
    /// Words.
    Text(String),
    /// It could not be measured.
    Failed,
    /// There is nothing to tell.
    Empty,
}

/// A drawing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Its file's name: `htc-efficiency.svg`.
    pub file: String,
    /// What is to be seen.
    pub caption: String,
    /// The file's content; it stands in the file alone.
    #[serde(skip)]
    pub svg: String,
}

impl Section {
    /// An empty one.
    pub fn new(name: &str, title: &str) -> Self {
        Self { name: name.to_owned(), title: title.to_owned(), ..Self::default() }
    }

    /// One that nobody has measured yet.
    pub fn unmeasured(name: &str, title: &str) -> Self {
        Self { failures: vec!["not measured yet".to_owned()], ..Self::new(name, title) }
    }

    /// Adds a paragraph.
    pub fn note(&mut self, paragraph: impl Into<String>) {
        self.conditions.push(paragraph.into());
    }

    /// Does something that may fail, and writes down if it does.
    pub fn attempt<T>(&mut self, what: &str, attempt: impl FnOnce() -> Outcome<T>) -> Option<T> {
        match attempt() {
            Ok(value) => Some(value),
            Err(error) => {
                self.fail(what, error.as_ref());
                None
            }
        }
    }

    /// Writes down what could not be measured.
    pub fn fail(&mut self, what: &str, error: &(dyn std::error::Error + 'static)) {
        let causes = std::iter::successors(error.source(), |error| error.source());
        self.failures.push(causes.fold(format!("{what}: {error}"), |all, cause| format!("{all}: {cause}")));
    }

    /// Writes down how long it took.
    pub fn finish(&mut self, took: Duration) {
        self.took_secs = took.as_secs_f64();
    }
}

impl Table {
    /// An empty table with these column heads.
    pub fn new<const COLUMNS: usize>(columns: [&str; COLUMNS]) -> Self {
        Self { columns: columns.map(str::to_owned).to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, label: impl Into<String>, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(Row { label: label.into(), cells: cells.into_iter().collect() });
    }
}

impl Cell {
    /// As it is shown.
    pub fn show(&self) -> String {
        match self {
            Self::Sample(sample) => sample.show(),
            Self::Value(unit, value) => unit.show(*value),
            Self::Text(text) => text.clone(),
            Self::Failed => "failed".to_owned(),
            Self::Empty => String::new(),
        }
    }

    /// How many times as much as the other; empty when either is missing.
    pub fn times(one: Option<&Sample>, other: Option<&Sample>) -> Self {
        let ratio = one.zip(other).map(|(one, other)| one.median() / other.median());
        ratio.filter(|ratio| ratio.is_finite()).map_or(Self::Empty, |ratio| Self::Value(Unit::Times, ratio))
    }
}

impl From<Option<Sample>> for Cell {
    fn from(sample: Option<Sample>) -> Self {
        sample.map_or(Self::Failed, Self::Sample)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
