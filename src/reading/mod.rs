//! How files of people are read: every mistake at once, each with its place and a hint. Pure.
//!
//! [`Sink`] collects findings; [`Section`] reads a TOML table key by key; [`closest`] knows what a misspelt word was meant to be.

mod code;
mod findings;
mod memory;
mod suggest;
mod table;

pub use code::Code;
pub use findings::{Also, Finding, Findings, Place, Severity};

pub(crate) use findings::Sink;
pub(crate) use memory::parse_mib;
pub(crate) use suggest::closest;
pub(crate) use table::{Need, Placed, Section, Span, Told, optional};
