//! What is wrong with a file, and where.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

use serde::Serialize;

use super::Code;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The file is of no use until it is mended.
    Error,
    /// It works, but probably not as meant.
    Warning,
}

/// A place in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// In bytes.
    pub span: Range<usize>,
}

impl Place {
    /// The place of a span of bytes in `text`.
    pub fn of(text: &str, span: Range<usize>) -> Self {
        let mut start = span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1, span }
    }
}

/// Another place that a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Also {
    /// Where.
    pub place: Place,
    /// What is there.
    pub label: String,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Its kind, for programs.
    pub code: Code,
    /// Where it is.
    pub place: Place,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What to write instead, or why the rule is there.
    pub hint: String,
    /// The other place, when two contradict each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also: Option<Also>,
}

/// Everything that is wrong with a file, sorted by place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Findings {
    /// The findings.
    pub list: Vec<Finding>,
}

impl Findings {
    /// How many of the findings make the file useless.
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|f| f.severity == Severity::Error).count()
    }

    /// How many of the findings are only warnings.
    pub fn warnings(&self) -> usize {
        self.list.len() - self.errors()
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        match (self.errors(), self.warnings()) {
            (0, 0) => f.write_str("no findings"),
            (0, w) => f.write_str(&counted(w, "warning")),
            (e, 0) => f.write_str(&counted(e, "error")),
            (e, w) => write!(f, "{}, {}", counted(e, "error"), counted(w, "warning")),
        }
    }
}

impl std::error::Error for Findings {}

/// Where the stages put what they find.
#[derive(Debug)]
pub(crate) struct Sink<'t> {
    text: &'t str,
    list: RefCell<Vec<Finding>>,
}

impl<'t> Sink<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, list: RefCell::default() }
    }

    pub(crate) fn error(&self, code: Code, span: &Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.push(Severity::Error, code, span, message.into(), hint.into(), None);
    }

    pub(crate) fn warning(&self, code: Code, span: &Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.push(Severity::Warning, code, span, message.into(), hint.into(), None);
    }

    /// An error that is about two places.
    pub(crate) fn clash(
        &self,
        code: Code,
        span: &Range<usize>,
        (other, label): (&Range<usize>, &str),
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let also = Also { place: Place::of(self.text, other.clone()), label: label.into() };
        self.push(Severity::Error, code, span, message.into(), hint.into(), Some(also));
    }

    fn push(
        &self,
        severity: Severity,
        code: Code,
        span: &Range<usize>,
        message: String,
        hint: String,
        also: Option<Also>,
    ) {
        let place = Place::of(self.text, span.clone());
        self.list.borrow_mut().push(Finding { severity, code, place, message, hint, also });
    }

    pub(crate) fn into_findings(self) -> Findings {
        let mut list = self.list.into_inner();
        list.sort_by_key(|a| (a.place.span.start, a.code));
        Findings { list }
    }
}
