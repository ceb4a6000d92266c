//! What a failing test shows of its machines.

use std::time::Duration;

use crate::machine::Machine;

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
