//! What a look at a host means for a worker there. Pure.

use jiff::{SignedDuration, Timestamp};

use crate::provider::{Machine, MachineState};
use crate::store::MachineRecord;
use crate::worker::{FailedAt, Worker, WorkerState};

/// What is to be done about a worker's machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing now.
    Wait,
    /// Its time is over: this is where it is.
    GiveUp(FailedAt),
    /// The machine is no more, or never was: this is where the worker was.
    Vanished(FailedAt),
    /// A worker that was ready has lost its machine.
    Lost,
    /// It has two machines of one launch, with one address: none of them is good.
    Double,
    /// It has failed and its machine is of no more use.
    Discard,
    /// The host takes it back at this moment.
    Reclaimed(Timestamp),
}

/// What a look has shown.
pub(super) struct Look<'a> {
    /// Its machines.
    pub(super) mine: &'a [Machine],
    /// In how many looks, this one included, none was there.
    pub(super) misses: u32,
    /// How long a new machine may be invisible.
    pub(super) settle: SignedDuration,
    /// Now.
    pub(super) now: Timestamp,
}

/// So many looks in a row have to miss a machine before it is believed gone.
const MISSES: u32 = 2;

/// Decides.
pub(super) fn decide(worker: &Worker, record: &MachineRecord, look: &Look<'_>) -> Next {
    let at = match worker.state {
        // Whoever provisions, and whoever takes the worker away, looks for himself.
        WorkerState::Planned | WorkerState::Provisioning | WorkerState::Leaving(_) => return Next::Wait,
        WorkerState::Gone | WorkerState::Failed(FailedAt::Provisioning | FailedAt::Booting) => return Next::Discard,
        WorkerState::Booting => FailedAt::Booting,
        WorkerState::Joining(stage) => FailedAt::Stage(stage),
        WorkerState::Failed(at) => at,
        WorkerState::Ready | WorkerState::Draining | WorkerState::Drained => return of_proved(record, look),
    };
    let ran = record.running.is_some() || worker.state != WorkerState::Booting;
    let gone = is_gone(record, look, ran);
    let overdue = worker.ready.is_none() && record.asked.unwrap_or(record.planned) + record.patience <= look.now;
    match worker.state {
        _ if gone && worker.ready.is_some() => Next::Lost,
        WorkerState::Failed(_) if overdue || gone => Next::Discard,
        _ if gone => Next::Vanished(at),
        _ if look.mine.len() > 1 => Next::Double,
        _ if overdue => Next::GiveUp(at),
        _ => Next::Wait,
    }
}

fn of_proved(record: &MachineRecord, look: &Look<'_>) -> Next {
    let reclaimed = look.mine.iter().find_map(|machine| machine.reclaimed_at);
    match reclaimed {
        _ if is_gone(record, look, true) => Next::Lost,
        Some(at) => Next::Reclaimed(at),
        None => Next::Wait,
    }
}

/// Shown as gone, off though it ran, or not shown for long enough.
fn is_gone(record: &MachineRecord, look: &Look<'_>, ran: bool) -> bool {
    let is_there = |machine: &Machine| match machine.state {
        MachineState::Gone => false,
        MachineState::Off => !ran,
        MachineState::Pending | MachineState::Running | MachineState::Stopping => true,
    };
    let shown = look.mine.iter().any(is_there);
    let since = record.accepted.or(record.asked).unwrap_or(record.planned);
    !shown && (!look.mine.is_empty() || (look.misses >= MISSES && since + look.settle <= look.now))
}
