//! A machine as a list of resources: what it should have, what it has, and the plan between the two.
//!
//! The front-end's `up`, a worker's join and a host's fabric are all the same journey: a [`MachineSpec`] is compared with
//! what is there, the difference is a plan, each step's inverse is written to the ledger before the step runs, and
//! afterwards the comparison is made again and must be empty.

mod resource;

pub use resource::{Block, Directory, File, Input, MachineSpec, Mount, Process, Readiness, Resource, Run, Secret};
