//! The front-end: control plane and command line.
//!
//! Pure modules (no tokio, no process, no file system): [`spec`], [`naming`], [`ipam`], [`view`], [`topology`]. Backends never import
//! each other.

pub mod cli;
pub mod ipam;
pub mod naming;
pub mod paths;
pub mod scheduler;
pub mod spec;
pub mod topology;
pub mod tunnel;
pub mod view;
