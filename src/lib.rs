//! The front-end: control plane and command line.
//!
//! Pure modules (no tokio, no process, no file system): [`spec`], [`naming`], [`network`], [`ipam`], [`worker`], [`view`], [`template`], [`bootstrap`].
//! Backends ([`tunnel`], [`services`], [`scheduler`]) never import each other; [`lifecycle`], [`daemon`] and [`frontend`]
//! are their only callers.

pub mod bootstrap;
pub mod cli;
pub mod daemon;
pub mod enroll;
pub mod frontend;
pub mod ipam;
pub mod lifecycle;
pub mod naming;
pub mod network;
pub mod paths;
pub mod placement;
pub mod program;
pub mod provider;
pub mod reading;
pub mod scheduler;
pub mod services;
pub mod spec;
pub mod store;
pub mod template;
pub mod topology;
pub mod tunnel;
pub mod view;
pub mod worker;
