//! What is left over on either side: the roster's word against everybody else's, and putting it right.
//!
//! Gathered first ([`Sides`]), compared afterwards ([`compare`], pure), mended at last ([`repair`]). A side that could not be asked is
//! told of, and nothing is concluded from its silence.

mod compare;
mod repair;
mod sides;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::lifecycle::{Roster, RosterError};
use crate::provider::{Launch, Leftover};
use compare::compare;
use sides::Sides;

pub(super) use repair::repair;

/// Something that one side has and the other doesn't.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFinding {
    /// Where it is: `queue`, `tunnel`, `certificate`, `lease`, `machine`, `volume`, `seed`, `security group`, `host`.
    pub place: String,
    /// Whose it is.
    pub name: String,
    /// What is wrong, one sentence.
    pub what: String,
    /// How it can be put right.
    #[serde(skip)]
    mend: Option<Mend>,
}

/// What people, or programs, are told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReport {
    /// Nothing when both sides agree.
    pub findings: Vec<AuditFinding>,
}

/// What was put right, and what is still wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairReport {
    /// What was done, one sentence each, in order.
    pub done: Vec<Repaired>,
    /// What is still wrong.
    pub findings: Vec<AuditFinding>,
}

/// Something that was put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repaired {
    /// As in [`AuditFinding::place`].
    pub place: String,
    /// Whose it was.
    pub name: String,
    /// What was done, or why it could not be.
    pub what: String,
}

/// How a finding is put right.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Mend {
    /// The host ends the machine.
    Destroy(landbridge_pki::NodeName, Launch),
    /// The host removes it.
    Remove(landbridge_pki::NodeName, Leftover),
    /// The queue forgets it.
    Dequeue(landbridge_pki::NodeName),
    /// The tunnel server lets it in no more.
    Cut(landbridge_pki::NodeName),
    /// Its certificates are revoked.
    Revoke(landbridge_pki::NodeName),
    /// The address goes into quarantine.
    Release(std::net::Ipv4Addr),
    /// The worker's address is leased to it again.
    Lease(landbridge_pki::NodeName),
    /// The front-end's side of the worker is made again.
    Prepare(landbridge_pki::NodeName),
    /// The worker leaves.
    Leave(landbridge_pki::NodeName),
}

/// Compares the two sides.
pub(super) async fn audit(roster: &Roster) -> Result<AuditReport, RosterError> {
    Ok(AuditReport { findings: compare(&Sides::gather(roster).await?) })
}
