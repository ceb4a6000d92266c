//! What runs on every physical host and worker, and the wire types that it shares with the front-end.
//!
//! [`machine`] is also the front-end's engine: a front-end is a machine too.

pub mod machine;
pub mod wire;
