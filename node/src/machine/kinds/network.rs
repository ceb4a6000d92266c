//! Links and addresses. The whole network is one step here: the network crate plans, journals and undoes it by itself.

use landbridge_fabric::{
    Backend, BackendError, Feature, Kernel, Ledger, Network, Observed, Plan, Step as LinkStep, plan, reconcile,
};
use serde::{Deserialize, Serialize};

use crate::machine::step::{Context, Prepared, Step};
use crate::machine::{Cause, Conflict, Key, StepError, crash};

/// The network as it was last wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::machine) struct Record(Network);

/// The network before the step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::machine) struct Inverse(Network);

/// A step: from one network to the other.
pub(in crate::machine) struct Change {
    before: Network,
    after: Network,
    wanted: bool,
}

/// What the kernel has against the network that is wanted, or has to do for it.
pub(in crate::machine) type View = Result<Plan, Vec<landbridge_fabric::Conflict>>;

/// Looks at the network. Changes nothing.
pub(in crate::machine) async fn look(context: &Context, wanted: &Network) -> Result<View, StepError> {
    let failed = |error: BackendError| refused("looking at", error);
    let journal = context.network.lock().await;
    let mut kernel = Kernel::open().map_err(failed)?;
    let observed = kernel.observe().await.map_err(failed)?;
    let plan = match plan(wanted, &observed, &Ledger::of(&journal)) {
        Ok(plan) => plan,
        conflicts => return Ok(conflicts),
    };
    let mut has = vec![];
    for feature in plan.features().into_keys() {
        if kernel.supports(feature).await.map_err(failed)? {
            has.push(feature);
        }
    }
    let lacking = plan.unsupported(|feature| has.contains(&feature));
    Ok(if lacking.is_empty() { Ok(plan) } else { Err(lacking) })
}

/// Plans the network that is wanted, from a view of it.
pub(in crate::machine) fn want(
    key: &Key,
    wanted: &Network,
    record: Option<&Record>,
    view: Option<&View>,
) -> Result<Option<Step>, Conflict> {
    let lines = match view {
        Some(Ok(plan)) => plan.lines(),
        Some(Err(conflicts)) => return Err(Conflict { key: key.clone(), why: in_words(conflicts) }),
        None => vec![],
    };
    let known = record.map_or(wanted.links.is_empty(), |record| record.0 == *wanted);
    if lines.is_empty() && known {
        return Ok(None);
    }
    let sign = if record.is_some() { '~' } else { '+' };
    let before = record.map_or_else(|| Network::empty(wanted.owner.clone()), |record| record.0.clone());
    let change = Change { before, after: wanted.clone(), wanted: true };
    Ok(Some(step(key, sign, &lines, change)))
}

/// Plans the end of the network.
pub(in crate::machine) fn unwant(key: &Key, record: &Record, view: Option<&View>) -> Result<Step, Conflict> {
    let lines = match view {
        Some(Ok(plan)) => plan.lines(),
        Some(Err(conflicts)) => return Err(Conflict { key: key.clone(), why: in_words(conflicts) }),
        None => vec![],
    };
    let after = Network::empty(record.0.owner.clone());
    Ok(step(key, '-', &lines, Change { before: record.0.clone(), after, wanted: false }))
}

fn step(key: &Key, sign: char, lines: &[String], change: Change) -> Step {
    let changes = if lines.len() == 1 { "change" } else { "changes" };
    let head = format!("{sign} {key}: {} {changes}", lines.len());
    let details = lines.iter().map(|line| format!("    {line}"));
    Step::with_details(key, [head].into_iter().chain(details).collect(), change)
}

fn in_words(conflicts: &[landbridge_fabric::Conflict]) -> String {
    let line = |conflict: &landbridge_fabric::Conflict| format!("{conflict}; {}", conflict.remedy());
    conflicts.iter().map(line).collect::<Vec<_>>().join("\n")
}

impl Change {
    /// The inverse.
    pub(in crate::machine) fn prepare(&self) -> Prepared<Inverse, Record> {
        let after = self.wanted.then(|| Record(self.after.clone()));
        Prepared { inverse: Inverse(self.before.clone()), after }
    }

    /// Does it.
    pub(in crate::machine) async fn perform(&self, context: &Context) -> Result<(), StepError> {
        make(context, &self.after).await
    }
}

impl Inverse {
    /// Makes the network as it was.
    pub(in crate::machine) async fn undo(&self, context: &Context) -> Result<(), StepError> {
        make(context, &self.0).await
    }
}

impl Record {
    /// What is left to look at when the network is no longer wanted.
    pub(in crate::machine) fn end(&self) -> Network {
        Network::empty(self.0.owner.clone())
    }
}

async fn make(context: &Context, network: &Network) -> Result<(), StepError> {
    let mut journal = context.network.lock().await;
    let kernel = Kernel::open().map_err(|error| refused("opening", error))?;
    reconcile(network, &mut Sweepable(kernel), &mut journal).await.map_err(|error| refused("making", error))?;
    Ok(())
}

fn refused(operation: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> StepError {
    StepError::new(operation, "the network", Cause::Network(Box::new(error)))
}

/// The kernel, with a moment to crash before and after each step.
struct Sweepable(Kernel);

impl Backend for Sweepable {
    async fn observe(&mut self) -> Result<Observed, BackendError> {
        self.0.observe().await
    }

    async fn perform(&mut self, step: &LinkStep) -> Result<(), BackendError> {
        crash::point();
        let done = self.0.perform(step).await;
        crash::point();
        done
    }

    async fn supports(&mut self, feature: Feature) -> Result<bool, BackendError> {
        self.0.supports(feature).await
    }
}
