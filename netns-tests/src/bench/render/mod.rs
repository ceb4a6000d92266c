//! From a document to what people read. Pure.

pub mod markdown;
pub mod terminal;

#[cfg(test)]
mod sample;
