//! A machine's network: what it should be, what it is, and the plan between the two.
//!
//! This crate stands on the ground: it knows the kernel (through netlink) and nothing of clusters, keys or workers.
//!
//! ```text
//! Network (wish) ─┐
//! Observed ───────┼─ plan ──► Plan ──► journal, then step, one by one ──► observe and plan again: empty
//! Ledger ─────────┘            (a value)          └── on failure the inverses, in reverse
//! ```
//!
//! [`reconcile`] is that whole journey, over a [`Backend`]: the [`Kernel`] of the calling thread's network namespace,
//! or the [`Fake`] one. Ownership is a tag in the link's alias, never a guess by name; NICs that were there before are
//! adopted, with their state in the [`Ledger`], and given back.

#![deny(unsafe_code)]

mod backend;
mod change;
mod conflict;
mod feature;
mod journal;
mod kernel;
mod ledger;
mod mtu;
mod name;
mod observed;
mod plan;
mod reconcile;
mod recover;
mod spec;
mod step;

pub use backend::{Backend, BackendError, Fake, Fault, Faulty, Refusal};
pub use change::Change;
pub use conflict::Conflict;
pub use feature::{Feature, features};
pub use journal::{EntryId, Journal, JournalError, State};
pub use kernel::{HostRoute, HostRoutes, Kernel};
pub use ledger::{AdoptedNic, Ledger, NetworkJournal};
pub use mtu::{Mtu, MtuError, VXLAN_OVERHEAD};
pub use name::{InterfaceName, NameError};
pub use observed::{Kind, Link, Observed};
pub use plan::{Plan, plan};
pub use reconcile::{ApplyError, Report, StepError, reconcile};
pub use recover::{RecoverError, recover};
pub use spec::{IdError, LinkKind, LinkSpec, Network, Owner, VlanId, Vni};
pub use step::{NicState, PlannedStep, Step};
