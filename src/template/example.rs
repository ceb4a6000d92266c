//! A template to look at.

use super::{Format, WorkerTemplate, parse};

/// A worker of 2008, for a local host and for EC2, as it was published with OpenNebula.
pub const EXAMPLE: &str = include_str!("example.one");

/// The same, read.
pub fn example() -> WorkerTemplate {
    parse(EXAMPLE, Format::Opennebula).expect("a template without errors").template
}
