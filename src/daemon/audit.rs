//! What is left over on either side: the roster's word against everybody else's.

use std::collections::BTreeSet;

use jiff::Timestamp;
use landbridge_node::wire::Via;
use landbridge_pki::authority::CertificateState;
use landbridge_pki::{NodeName, Role};
use serde::{Deserialize, Serialize};

use crate::lifecycle::{Roster, RosterError};
use crate::worker::{Worker, WorkerState};

/// Something that one side has and the other doesn't.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFinding {
    /// Where it is: `queue`, `tunnel`, `certificate`, `lease`.
    pub place: String,
    /// Whose it is.
    pub name: String,
    /// What is wrong, one sentence.
    pub what: String,
}

/// What people, or programs, are told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReport {
    /// Nothing when both sides agree.
    pub findings: Vec<AuditFinding>,
}

/// What each side says. Gathered first, compared afterwards.
#[derive(Clone, Debug, Default)]
struct Sides {
    workers: Vec<Worker>,
    queue: BTreeSet<NodeName>,
    admitted: BTreeSet<NodeName>,
    certificates: BTreeSet<NodeName>,
    leases: BTreeSet<std::net::Ipv4Addr>,
}

/// Compares the two sides.
pub(super) async fn audit(roster: &Roster) -> Result<AuditReport, RosterError> {
    let now = Timestamp::now();
    let leases = roster.store().leases(now)?;
    let sides = Sides {
        workers: roster.store().workers()?,
        queue: roster.queue_knows().await?.into_iter().collect(),
        admitted: roster.admitted()?.into_iter().collect(),
        certificates: live_certificates(roster, now)?,
        leases: leases.into_iter().filter(|(_, free_at)| free_at.is_none()).map(|(address, _)| address).collect(),
    };
    Ok(AuditReport { findings: compare(&sides) })
}

fn live_certificates(roster: &Roster, now: Timestamp) -> Result<BTreeSet<NodeName>, RosterError> {
    let records = roster.with_authority(|authority| authority.register().list(now))?;
    let live = records.into_iter().filter(|r| r.state == CertificateState::Valid);
    Ok(live.map(|r| r.certificate).filter(|c| c.role == Role::Worker).map(|c| c.name).collect())
}

fn compare(sides: &Sides) -> Vec<AuditFinding> {
    let names: BTreeSet<NodeName> = sides.workers.iter().map(|w| w.name.clone()).collect();
    let stray = |place: &str, seen: &BTreeSet<NodeName>, what: &str| -> Vec<AuditFinding> {
        seen.difference(&names).map(|name| finding(place, name.as_str(), what)).collect()
    };
    let mut findings = stray("queue", &sides.queue, "the queue knows an execution host that is no worker");
    findings.extend(stray("tunnel", &sides.admitted, "the tunnel server admits a machine that is no worker"));
    findings.extend(stray("certificate", &sides.certificates, "a live certificate belongs to no worker"));
    findings.extend(sides.workers.iter().flat_map(|worker| missing(worker, sides)));
    let leased: BTreeSet<_> = sides.workers.iter().map(|w| w.address).collect();
    let idle = sides.leases.difference(&leased);
    findings.extend(idle.map(|address| finding("lease", &address.to_string(), "a lease belongs to no worker")));
    findings
}

/// What a ready worker should have and hasn't.
fn missing(worker: &Worker, sides: &Sides) -> Vec<AuditFinding> {
    if !matches!(worker.state, WorkerState::Ready | WorkerState::Draining | WorkerState::Drained) {
        return Vec::new();
    }
    let lacks = |place: &str, has: bool, what: &str| (!has).then(|| finding(place, worker.name.as_str(), what));
    let tunnel = worker.via == Via::Bridge || sides.admitted.contains(&worker.name);
    let queue = sides.queue.is_empty() || sides.queue.contains(&worker.name);
    [
        lacks("tunnel", tunnel, "the tunnel server doesn't admit this worker"),
        lacks("queue", queue, "the queue doesn't know this worker"),
        lacks("certificate", sides.certificates.contains(&worker.name), "this worker has no live certificate"),
        lacks("lease", sides.leases.contains(&worker.address), "this worker's address is not leased"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn finding(place: &str, name: &str, what: &str) -> AuditFinding {
    AuditFinding { place: place.into(), name: name.into(), what: what.into() }
}
