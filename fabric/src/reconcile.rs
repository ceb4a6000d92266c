//! From what is to what should be: observe, plan, apply, verify; and back when a step fails.

use crate::journal::{EntryId, JournalError};
use crate::recover::{RecoverError, recover};
use crate::{Backend, BackendError, Conflict, Ledger, Network, NetworkJournal, Plan, PlannedStep, plan};

/// The journal is written anew when it has grown past this.
const COMPACT_BYTES: u64 = 64 * 1024;

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The plan's lines as they were carried out; empty when everything was as it should be.
    pub changed: Vec<String>,
}

/// Why the network is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// There is no way that leaves alone what isn't ours, or the kernel lacks something. Nothing was changed.
    #[error("{}", in_lines(.0))]
    Conflicts(Vec<Conflict>),
    /// The network couldn't be observed. Nothing was changed, or the change couldn't be verified.
    #[error(transparent)]
    Observe(BackendError),
    /// A step failed, and everything before it was undone.
    #[error("a step failed ({line}); the {undone} before it were undone")]
    Undone {
        /// The step's line.
        line: String,
        /// How many steps were undone.
        undone: usize,
        /// Why it failed.
        #[source]
        cause: Box<StepError>,
    },
    /// A step failed, and so did some of the steps back. The next [`reconcile`] goes on from what is there.
    #[error("a step failed ({line}), and not everything before it could be undone: {}", in_errors(failures))]
    NotUndone {
        /// The step's line.
        line: String,
        /// Why it failed.
        #[source]
        cause: Box<StepError>,
        /// Every step back that failed.
        failures: Vec<StepError>,
    },
    /// Everything was carried out, and yet something is not as it should be: somebody else is at work on it.
    #[error("after all steps there is still to do: {}", plan.lines().join("; "))]
    Drift {
        /// What was carried out.
        changed: Vec<String>,
        /// What would have to be done again.
        plan: Plan,
    },
    /// The journal can't be written, and nothing is done without it.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The kernel refused.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The step was carried out, and couldn't be marked as done.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl From<RecoverError> for ApplyError {
    fn from(error: RecoverError) -> Self {
        match error {
            RecoverError::Backend(error) => Self::Observe(error),
            RecoverError::Journal(error) => Self::Journal(error),
        }
    }
}

/// Makes the machine's network what `network` says: finishes or undoes what a crash interrupted, observes, plans, checks
/// that the kernel can, carries out, observes again and compares again.
///
/// A step that fails undoes all before it. Repeated, it changes nothing and says so. An empty network tears everything of
/// the owner's down and gives adopted NICs back.
pub async fn reconcile<B: Backend>(
    network: &Network,
    backend: &mut B,
    journal: &mut NetworkJournal,
) -> Result<Report, ApplyError> {
    recover(backend, journal).await?;
    let found = next_plan(network, backend, journal).await?;
    if found.is_empty() {
        return Ok(Report::default());
    }
    demand_features(&found, backend).await?;
    apply(&found, backend, journal).await?;
    let changed = found.lines();
    let drift = next_plan(network, backend, journal).await?;
    if !drift.is_empty() {
        return Err(ApplyError::Drift { changed, plan: drift });
    }
    journal.sync()?;
    if journal.bytes() > COMPACT_BYTES {
        let ledger = Ledger::of(journal);
        journal.compact(|entry| ledger.rests_on(entry))?;
    }
    Ok(Report { changed })
}

/// Observes, and plans from there.
async fn next_plan<B: Backend>(
    network: &Network,
    backend: &mut B,
    journal: &NetworkJournal,
) -> Result<Plan, ApplyError> {
    let observed = backend.observe().await.map_err(ApplyError::Observe)?;
    plan(network, &observed, &Ledger::of(journal)).map_err(ApplyError::Conflicts)
}

async fn demand_features<B: Backend>(plan: &Plan, backend: &mut B) -> Result<(), ApplyError> {
    let mut has = Vec::new();
    for feature in plan.features().into_keys() {
        if backend.supports(feature).await.map_err(ApplyError::Observe)? {
            has.push(feature);
        }
    }
    let lacking = plan.unsupported(|feature| has.contains(&feature));
    if lacking.is_empty() { Ok(()) } else { Err(ApplyError::Conflicts(lacking)) }
}

/// Carries the steps out, each journaled before; undoes them when one fails.
async fn apply<B: Backend>(plan: &Plan, backend: &mut B, journal: &mut NetworkJournal) -> Result<(), ApplyError> {
    let ids = journal.begin(plan.steps.iter().cloned())?;
    for (at, (planned, id)) in plan.steps.iter().zip(&ids).enumerate() {
        let Err(cause) = carry_out(planned, *id, backend, journal).await else { continue };
        // A refused step has changed nothing; one that only couldn't be marked has run, and is undone with the others.
        let ran = at + usize::from(matches!(cause, StepError::Journal(_)));
        let failures = roll_back(&plan.steps[..ran], &ids[ran..], backend, journal).await;
        let line = planned.step.to_string();
        if failures.is_empty() {
            return Err(ApplyError::Undone { line, undone: ran, cause: cause.into() });
        }
        return Err(ApplyError::NotUndone { line, cause: cause.into(), failures });
    }
    Ok(())
}

async fn carry_out<B: Backend>(
    planned: &PlannedStep,
    id: EntryId,
    backend: &mut B,
    journal: &mut NetworkJournal,
) -> Result<(), StepError> {
    tracing::debug!(step = %planned.step, "carrying out");
    if !planned.step.is_note() {
        backend.perform(&planned.step).await?;
    }
    Ok(journal.done(id)?)
}

/// Undoes `ran` in reverse, and goes on past every failure. The way back is journaled like the way there, so that a crash
/// on it can be recovered from in the same manner. `never_ran` is forgotten.
async fn roll_back<B: Backend>(
    ran: &[PlannedStep],
    never_ran: &[EntryId],
    backend: &mut B,
    journal: &mut NetworkJournal,
) -> Vec<StepError> {
    let mut failures = Vec::new();
    for id in never_ran {
        failures.extend(journal.undone(*id).err().map(StepError::from));
    }
    let back: Vec<_> = ran.iter().rev().cloned().map(PlannedStep::reversed).collect();
    let ids = match journal.begin(back.iter().cloned()) {
        Ok(ids) => ids,
        Err(error) => {
            failures.push(error.into());
            return failures;
        }
    };
    for (planned, id) in back.iter().zip(ids) {
        if let Err(error) = carry_out(planned, id, backend, journal).await {
            failures.push(error);
            failures.extend(journal.undone(id).err().map(StepError::from));
        }
    }
    failures
}

fn in_lines(conflicts: &[Conflict]) -> String {
    let line = |conflict: &Conflict| format!("{conflict}; {}", conflict.remedy());
    conflicts.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn in_errors(failures: &[StepError]) -> String {
    let line = |failure: &StepError| {
        let cause = std::error::Error::source(failure).map_or_else(String::new, |cause| format!(": {cause}"));
        format!("{failure}{cause}")
    };
    failures.iter().map(line).collect::<Vec<_>>().join("; ")
}
