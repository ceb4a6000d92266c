//! Findings in a cluster file, as a person reads them.

use std::fmt::{self, Write as _};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode};

use super::Style;
use crate::spec::{self, Finding, Findings};

/// Every finding with its place in the file's `text`, and a closing line that counts them. `name` is how the person
/// called the file.
pub fn render(findings: &Findings, name: &str, text: &str, style: Style) -> String {
    let theme = if style.is_fancy() { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler =
        GraphicalReportHandler::new_themed(theme).with_width(style.width()).with_context_lines(1).with_links(false);
    let source = NamedSource::new(name, text.to_owned());
    let mut out = String::new();
    for finding in &findings.list {
        let shown = Shown { finding, source: &source };
        handler.render_report(&mut out, &shown).expect("a String takes everything");
        out.push('\n');
    }
    writeln!(out, "{name}: {findings}").expect("a String takes everything");
    out
}

/// A finding as miette wants it.
#[derive(Debug)]
struct Shown<'a> {
    finding: &'a Finding,
    source: &'a NamedSource<String>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.finding.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.finding.code))
    }

    fn severity(&self) -> Option<Severity> {
        Some(match self.finding.severity {
            spec::Severity::Error => Severity::Error,
            spec::Severity::Warning => Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.finding.hint))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let here = LabeledSpan::new_primary_with_span(None, self.finding.place.span.clone());
        let also = self
            .finding
            .also
            .iter()
            .map(|also| LabeledSpan::new_with_span(Some(also.label.clone()), also.place.span.clone()));
        Some(Box::new(std::iter::once(here).chain(also)))
    }
}
