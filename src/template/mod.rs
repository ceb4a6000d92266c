//! Worker templates: what a worker's machine is, said once for a local hypervisor and for EC2. Pure.
//!
//! OpenNebula's own syntax and our own TOML are read into one [`WorkerTemplate`], every mistake at once; [`findings_for`] tells
//! what a provider can't honour of it.

mod example;
mod limits;
mod model;
mod opennebula;
mod shown;
mod toml;
mod values;

use std::collections::BTreeMap;
use std::path::Path;

pub use example::{EXAMPLE, example};
pub use limits::{Limit, Target, findings_for};
pub use model::{Attribute, Authorized, Cpu, Disk, DiskFormat, DiskSource, Ec2, Nic, Os, Words, WorkerTemplate};
pub use opennebula::{Inexpressible, write as to_opennebula};
pub use shown::asked_of;
pub use toml::write as to_toml;

pub use crate::reading::{Code, Finding, Findings, Severity};
use crate::reading::{Sink, Span, parse_mib};

/// How a template is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenNebula's own syntax.
    Opennebula,
    /// Our own.
    Toml,
}

/// Where in the file the parts of a template stand: `CPU`, `DISK[0]`, `DISK[0].BUS`.
pub type Places = BTreeMap<String, Span>;

/// A template without errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The template.
    pub template: WorkerTemplate,
    /// Warnings only.
    pub warnings: Findings,
    /// Where its parts stand.
    pub places: Places,
}

/// Reads a template. Gives it with warnings, or every finding when at least one is an error.
pub fn parse(text: &str, format: Format) -> Result<Parsed, Findings> {
    let sink = Sink::new(text);
    let parsed = match format {
        Format::Opennebula => opennebula::read(text, &sink),
        Format::Toml => toml::read(text, &sink),
    };
    let findings = sink.into_findings();
    match parsed {
        Some(parsed) if findings.errors() == 0 => Ok(Parsed { warnings: findings, ..parsed }),
        _ => Err(findings),
    }
}

impl Format {
    /// A file's format by its name's extension, else by what stands in it: tables, or an amount of memory with its unit, are
    /// TOML's.
    pub fn of(name: &Path, text: &str) -> Self {
        if name.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
            return Self::Toml;
        }
        let header = |line: &str| {
            let inner = line.trim().trim_start_matches('[').trim_end_matches(']').trim();
            line.starts_with('[') && toml::SECTIONS.contains(&inner)
        };
        let amount = |line: &str| {
            let value = line.strip_prefix("memory").map(|rest| rest.trim_start_matches([' ', '=']).trim());
            value.is_some_and(|value| value.starts_with('"') && parse_mib(value.trim_matches('"')).is_some())
        };
        if text.lines().any(|line| header(line) || amount(line)) { Self::Toml } else { Self::Opennebula }
    }
}

impl Parsed {
    /// What a provider can't honour, where it stands in the file's `text`.
    pub fn findings_for(&self, target: Target, text: &str) -> Findings {
        let sink = Sink::new(text);
        for limit in findings_for(&self.template, target) {
            let span = self.places.get(&limit.about).cloned().unwrap_or_default();
            match limit.severity {
                Severity::Error => sink.error(limit.code, &span, limit.message, limit.hint),
                Severity::Warning => sink.warning(limit.code, &span, limit.message, limit.hint),
            }
        }
        sink.into_findings()
    }
}
