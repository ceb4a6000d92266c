//! What stays on a worker: keeps everything as the bundle says, follows orders, renews, leaves.

mod backoff;
pub mod boot;
mod daemon;
pub mod launch;
mod leave;
mod notice;
pub mod orders;
pub mod renew;

pub use backoff::Backoff;
pub use daemon::{AgentError, End, run};
pub use leave::{LeaveError, leave_locally};
