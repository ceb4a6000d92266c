//! What people see of a join on both sides, as text.

use std::time::Duration;

use netns_tests::ursa::Ursa;
use netns_tests::{Finished, LabResult, Machine};

/// Longer than any join may take.
const PATIENCE: Duration = Duration::from_mins(4);

/// What changes from run to run, and what stands in its place.
const REDACTED: &[(&str, &str)] = &[
    (r"(?m)^( *[a-z]+ +(?:ok|failed)) +[\d.]+ m?s$", "$1 TIME"),
    (r"(?m)^(  [a-z]+) +[\d.]+ m?s +[\d.]+ m?s +[▏▎▍▌▋▊▉█ ]*", "$1 TIME "),
    (r"(?m)^(join (?:failed after|took)) [\d.]+ m?s$", "$1 TIME"),
    // The agent may have repaired everything before the join does.
    (r"ready after [\d.]+ s(; nothing on this machine had to be changed)?", "ready after TIME"),
    (r"asked     .*", "asked     WHEN"),
    (r"(?m)^(  state .*), for .*", "$1, for TIME"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d( UTC)?", "WHEN"),
    (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", "WHEN"),
    (r"(?m)^WHEN  ", ""),
    // Whether it is told depends on what the agent is at.
    (r"(?m)^landbridge-node: waiting up to .*\n", ""),
    (r"\bwas used [^,\n]* ago", "was used TIME ago"),
    (r"begins only in \d+ \w+", "begins only in TIME"),
    (r"ended \d+ days ago", "ended TIME ago"),
    (r"clock is \d.* (ahead of|behind)", "clock is TIME $1"),
    (r"got through has \d+ bytes", "got through has FEWER bytes"),
    (r"expired \d+m[^ ]* ago|expired \d+m( \d+s)? ago", "expired TIME ago"),
    (r"process \d+", "process PID"),
    (r"  (memory|id) .*", "  $1 …"),
];

/// A place from which events are news.
pub(crate) struct Since(usize);

/// Looks at the front-end's events before something happens.
pub(crate) fn now(ursa: &Ursa) -> LabResult<Since> {
    Ok(Since(events(ursa)?.lines().count()))
}

fn events(ursa: &Ursa) -> LabResult<String> {
    ursa.landbridge("events -n 1000").expect_ok()
}

/// A command on the worker, to its end.
pub(crate) fn run(machine: &Machine, command: &str, token: &str) -> LabResult<Finished> {
    machine.run(command).stdin(token).deadline(PATIENCE).output()
}

/// What the worker's person sees.
pub(crate) fn on_worker(machine: &Machine, command: &str, finished: &Finished) -> String {
    let name = machine.name();
    format!("{name}# {command}\n{}{}exit status {}\n", finished.out(), finished.err(), finished.status)
}

/// What the front-end's person sees: the worker, what is new, and what wants attention.
pub(crate) fn on_front_end(ursa: &Ursa, worker: &str, since: &Since) -> LabResult<String> {
    let show = ursa.landbridge(&format!("worker show {worker}")).expect_ok()?;
    let all = events(ursa)?;
    let news: String = all.split_inclusive('\n').skip(since.0).collect();
    let status = ursa.landbridge("status").output()?.out();
    let attention: String = status.split_inclusive('\n').filter(|line| line.starts_with('!')).collect();
    Ok(format!(
        "frontend# landbridge worker show {worker}\n{show}\nfrontend# landbridge events\n{news}\nfrontend# landbridge status\n{attention}"
    ))
}

/// A join and what both sides see of it.
pub(crate) fn both(ursa: &Ursa, machine: &Machine, worker: &str, command: &str, token: &str) -> LabResult<String> {
    let since = now(ursa)?;
    let finished = run(machine, command, token)?;
    Ok(format!("{}\n{}", on_worker(machine, command, &finished), on_front_end(ursa, worker, &since)?))
}

/// Compares with what was agreed to be readable.
pub(crate) fn assert_reads(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("../snapshots/failures");
    for (pattern, instead) in REDACTED {
        settings.add_filter(pattern, *instead);
    }
    settings.bind(|| insta::assert_snapshot!(name, text));
}
