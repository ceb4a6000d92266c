//! After a crash: what the journal began and didn't finish is looked at, and settled.

use crate::journal::{EntryId, JournalError};
use crate::{Backend, BackendError, NetworkJournal, Observed, PlannedStep, Step};

/// Why a crash couldn't be recovered from.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The kernel refused.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The journal can't be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Settles what a crash left open, and returns the lines of the steps that were: each step either had its effect, which
/// then counts as done, or hadn't, and is forgotten. A link that was created and not yet tagged gets its tag. From there
/// the next plan leads on, or back.
///
/// [`crate::reconcile`] does this by itself. Without a crash it does nothing, and doesn't even look.
pub async fn recover<B: Backend>(backend: &mut B, journal: &mut NetworkJournal) -> Result<Vec<String>, RecoverError> {
    let pending: Vec<(EntryId, PlannedStep)> = journal.pending().map(|(id, entry)| (id, entry.clone())).collect();
    let Some((_, oldest)) = pending.first() else { return Ok(Vec::new()) };
    let mut observed = backend.observe().await?;
    if let Some(claim) = claim(&oldest.step, &observed) {
        tracing::info!(step = %claim, "recovering");
        backend.perform(&claim).await?;
        observed = backend.observe().await?;
    }
    for (id, entry) in &pending {
        if entry.step.holds_in(&observed) { journal.done(*id)? } else { journal.undone(*id)? }
    }
    journal.sync()?;
    Ok(pending.iter().map(|(_, entry)| entry.step.to_string()).collect())
}

/// Steps run one at a time, so only the oldest that is open can have been under way: if that was to create a link, and
/// there is one that is the same in everything but the tag, then it is the one that the crash kept us from tagging.
fn claim(oldest: &Step, observed: &Observed) -> Option<Step> {
    let Step::Create { name, link } = oldest else { return None };
    let found = observed.links.get(name)?;
    let untagged = found.kind == link.kind && found.alias.is_none();
    untagged.then(|| Step::Claim { name: name.clone(), link: link.clone() })
}
