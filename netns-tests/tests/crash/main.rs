//! The programs of a cluster killed with SIGKILL at every moment that counts: whatever was under way is finished or undone
//! afterwards, and nothing is left over.
//!
//! The moments are those of [`landbridge_node::machine::crash`]. Each sweep asks for moment after moment until the program
//! survives, so that a step more is a moment more. A sweep is shared out to several labs, which run side by side.

mod boot;
mod daemon;
mod data_plane;
mod node;
mod providers;
mod up;

/// Kills a process at this moment of its own.
const KILL_AT: &str = landbridge_node::machine::crash::PROGRAM;
/// What a shell says of a child that SIGKILL ended.
const KILLED: i32 = 128 + 9;
