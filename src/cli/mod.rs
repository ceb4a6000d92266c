//! The command line: the only code that prints.

pub mod findings;
pub mod render;
mod style;

pub use style::Style;
