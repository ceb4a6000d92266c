//! What a failing test shows of its machines.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::machine::Machine;

/// Remembers that something on a machine went otherwise than the test expected. Clones are the same note.
///
/// A test that returns an error drops its lab without a panic: only by this the lab knows that its logs are wanted. It may
/// be wrong (a test may expect the trouble), so what is printed goes to standard error, which is shown for failed tests only.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trouble(Arc<AtomicBool>);

impl Trouble {
    pub(crate) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_noted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Prints the end of each machine's console and of its Landbridge logs to standard error.
pub(crate) fn print_logs(lab: &str, machines: &[Machine]) {
    for machine in machines {
        let name = machine.name();
        let console = machine.console();
        if !console.trim().is_empty() {
            eprintln!("--- {lab}: console of {name}\n{console}");
        }
        let tail = machine.run("for log in /var/log/landbridge/*; do [ -f \"$log\" ] || continue; echo \"--- $log\"; tail -n 40 \"$log\"; done");
        if let Ok(finished) = tail.deadline(Duration::from_secs(10)).output()
            && !finished.stdout.is_empty()
        {
            eprintln!("--- {lab}: logs of {name}\n{}", finished.out());
        }
    }
}
