//! What runs on every physical host and worker, and the wire types that it shares with the front-end.
//!
//! [`machine`] is also the front-end's engine: a front-end is a machine too.

pub mod agent;
pub mod api;
pub mod cli;
pub mod facts;
pub mod guard;
pub mod host;
pub mod icmp;
pub mod join;
pub mod logs;
pub mod machine;
pub mod metadata;
pub mod names;
pub mod nic;
mod nice;
pub mod path;
pub mod paths;
pub mod state;
mod udev;
pub mod underlay;
pub mod user_data;
pub mod wire;
pub mod words;
