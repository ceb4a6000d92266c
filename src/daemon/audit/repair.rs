//! Putting right what `audit` has found, one thing after the other.

use std::sync::Arc;

use super::{Mend, RepairReport, Repaired, audit};
use crate::lifecycle::{Roster, RosterError};

/// Does what can be done, and looks again.
pub(in crate::daemon) async fn repair(roster: &Arc<Roster>) -> Result<RepairReport, RosterError> {
    let mut done = Vec::new();
    for finding in audit(roster).await?.findings {
        let Some(mend) = &finding.mend else { continue };
        let what = match carry_out(roster, mend).await {
            Ok(what) => what,
            Err(error) => format!("could not be put right: {}", crate::daemon::converge::words(&error)),
        };
        tracing::info!(place = finding.place, name = finding.name, "{what}");
        done.push(Repaired { place: finding.place, name: finding.name, what });
    }
    Ok(RepairReport { done, findings: audit(roster).await?.findings })
}

async fn carry_out(roster: &Arc<Roster>, mend: &Mend) -> Result<String, RosterError> {
    Ok(match mend {
        Mend::Destroy(host, launch) => {
            roster.destroy_stray(host, launch).await?;
            format!("destroyed on {host}")
        }
        Mend::Remove(host, leftover) => {
            roster.remove_leftover(host, leftover).await?;
            format!("removed on {host}")
        }
        Mend::Dequeue(name) => {
            roster.dequeue(name).await?;
            "the queue forgets it".into()
        }
        Mend::Cut(name) => {
            roster.cut_session(name).await?;
            "the tunnel server lets it in no more".into()
        }
        Mend::Revoke(name) => {
            roster.revoke(name).await?;
            "its certificates are revoked".into()
        }
        Mend::Release(address) => {
            roster.release_address(*address)?;
            "it rests in quarantine, and is free then".into()
        }
        Mend::Lease(name) => {
            roster.lease_again(name)?;
            "the address is its own again".into()
        }
        Mend::Prepare(name) => {
            roster.prepare_again(name).await?;
            "the front-end knows it again".into()
        }
        Mend::Leave(name) => {
            roster.destroy(name, true)?;
            "it leaves: landbridge worker list".into()
        }
    })
}
