//! What a machine tells of itself: read and timed where it happens, since the way of a command into a machine is the lab's own.

use std::time::Duration;

use crate::Machine;
use crate::bench::Outcome;
use crate::bench::statistics::Sample;

/// For as many runs as a sample has.
const PATIENCE: Duration = Duration::from_mins(2);
/// Hundredths of a second since the boot in which a processor was busy, and programs and threads begun: proc(5), `/proc/stat`.
const COUNTED: &str = "awk '/^cpu / { print $2 + $3 + $4 } /^processes / { print $2 }' /proc/stat";
/// Calls that were sent to NFS servers since each was mounted: `/proc/self/mountstats`, a line for each connection.
const NFS_CALLS: &str = "awk '/xprt:/ { sum += $8 } END { print sum + 0 }' /proc/self/mountstats";
/// A program that does nothing.
const NOTHING: &str = "/bin/true";

/// What a machine had done by some moment.
#[derive(Clone, Copy)]
pub(super) struct Done {
    /// How long its processors were busy.
    pub(super) busy: Duration,
    /// Programs and threads that were begun.
    pub(super) begun: u64,
    /// Calls to NFS servers.
    pub(super) nfs_calls: u64,
}

impl Done {
    /// Until now.
    pub(super) fn by(machine: &Machine) -> Outcome<Self> {
        let text = machine.run(&format!("{COUNTED}; {NFS_CALLS}")).expect_ok()?;
        let numbers = text.lines().map(str::parse).collect::<Result<Vec<u64>, _>>()?;
        let [hundredths, begun, nfs_calls] = numbers[..] else {
            return Err(format!("{} tells something else of itself: {text}", machine.name()).into());
        };
        Ok(Self { busy: Duration::from_millis(10 * hundredths), begun, nfs_calls })
    }

    /// What was done after `before`.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            busy: self.busy.saturating_sub(before.busy),
            begun: self.begun.saturating_sub(before.begun),
            nfs_calls: self.nfs_calls.saturating_sub(before.nfs_calls),
        }
    }
}

/// How long a command takes, so often.
pub(super) fn timed(machine: &Machine, runs: u32, command: &str) -> Outcome<Option<Sample>> {
    let line = format!(
        "for n in $(seq {runs}); do s=$(date +%s%N); {command} >/dev/null || exit 1; e=$(date +%s%N); echo $((e - s)); done"
    );
    Ok(nanoseconds(&machine.run(&line).deadline(PATIENCE).expect_ok()?))
}

/// How long a machine takes to start a program that does nothing, and to see it end.
pub(super) fn program_start(machine: &Machine) -> Outcome<Option<Duration>> {
    const RUNS: u32 = 20;
    let whole = timed(machine, 1, &format!("for m in $(seq {RUNS}); do {NOTHING}; done"))?;
    Ok(whole.map(|whole| Duration::from_secs_f64(whole.median() / 1000.0) / RUNS))
}

/// A line a run, in nanoseconds.
pub(super) fn nanoseconds(text: &str) -> Option<Sample> {
    let times: Vec<_> = text.lines().filter_map(|line| line.parse().ok()).map(Duration::from_nanos).collect();
    Sample::of_milliseconds(&times)
}

/// A count, as samples have it.
pub(super) fn counted(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
