//! A machine as a list of resources: what it should have, what it has, and the plan between the two.
//!
//! The front-end's `up`, a worker's join and a host's fabric are all the same journey: a [`MachineSpec`] is compared with
//! what is there, the difference is a plan, each step's inverse is written to the ledger before the step runs, and
//! afterwards the comparison is made again and must be empty.
//!
//! ```text
//! MachineSpec (wish) ─┐
//! World (observed) ───┼─ plan ──► Plan ──► keep, journal, do, record, one by one ──► observe and plan again: empty
//! Ledger ─────────────┘            (a value)          └── on failure the inverses, in reverse
//! ```
//!
//! [`Machine`] is that journey. [`kinds`] knows each kind of resource. Nothing here knows what the resources are for.

mod atomic;
mod command;
mod converge;
pub mod crash;
mod diff;
mod digest;
mod error;
mod exits;
mod family;
mod journal;
mod kept;
mod key;
mod kinds;
mod ledger;
mod lock;
mod observe;
mod passwd;
mod pidfd;
mod place;
mod plan;
mod readable;
mod resource;
mod sockets;
mod step;
mod stray;
mod watch;

pub(crate) use atomic::write_whole;
pub use converge::{Beside, Machine, Progress, Report};
pub use error::{Cause, Conflict, ConvergeError, LedgerError, OpenError, PlanError, StepError, UndoError};
pub use exits::Exits;
pub use family::Family;
pub use key::Key;
pub(crate) use kinds::mount::is_mounted;
pub use kinds::process::schedule_as_usual;
pub use landbridge_fabric::Owner;
pub use lock::LockError;
pub use place::Place;
pub use plan::Plan;
pub use resource::{
    Block, Children, Directory, File, Input, MachineSpec, Mount, Process, Readiness, Residue, Resource, Run, Secret,
    Sysctl, SysctlValue,
};
pub use sockets::Sockets;
pub use watch::Watch;
