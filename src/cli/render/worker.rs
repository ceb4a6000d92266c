//! `worker list` and `worker show`.

use std::fmt::Write as _;
use std::time::Duration;

use comfy_table::Cell;
use jiff::Timestamp;
use landbridge_node::wire::Via;

use super::host::cpus;
use super::table::Columns;
use super::timeline;
use super::tone::paint;
use crate::cli::Style;
use crate::view::{DeployStep, WorkerView, ago, memory, took};

/// What stands in a cell when nothing is known.
const UNKNOWN: &str = "-";

/// Workers, wherever they run. CPU in hundredths, as in the host list; TIME since the worker was asked for.
pub fn worker_list<'v>(workers: impl IntoIterator<Item = &'v WorkerView>, now: Timestamp, style: Style) -> String {
    let header = ["ID>", "NAME", "STAT", "CPU>", "MEM>", "HOST", "ADDRESS", "VIA", "TIME>"];
    let mut columns = Columns::new(&header, style);
    for worker in workers {
        let state = columns.toned(worker.state_text(), worker.state);
        columns.row([
            Cell::new(worker.id),
            Cell::new(&worker.name),
            state,
            Cell::new(worker.cpu),
            Cell::new(memory(worker.memory)),
            Cell::new(worker.host.as_deref().unwrap_or(UNKNOWN)),
            Cell::new(worker.address.map_or_else(|| UNKNOWN.into(), |address| address.to_string())),
            Cell::new(via(worker.via)),
            Cell::new(ago(worker.asked, now)),
        ]);
    }
    columns.finish()
}

fn via(via: Option<Via>) -> &'static str {
    match via {
        Some(Via::Tunnel) => "tunnel",
        Some(Via::Bridge) => "bridge",
        None => UNKNOWN,
    }
}

/// One worker in full, with the timeline of its join.
pub fn worker_show(worker: &WorkerView, now: Timestamp, style: Style) -> String {
    let mut out = format!("worker {}\n", worker.name);
    let mut line = |key: &str, value: String| {
        writeln!(out, "  {key:<10}{value}").expect("a String takes everything");
    };
    line("id", worker.id.to_string());
    let state = paint(worker.state.into(), &worker.state_text(), style.is_fancy());
    line("state", format!("{state}, for {}", ago(worker.since, now)));
    line("host", worker.host.clone().unwrap_or_else(|| "none of ours: it joined with a token".into()));
    let way = worker.via.map(|way| format!(", via {}", via(Some(way)))).unwrap_or_default();
    line("address", worker.address.map_or_else(|| UNKNOWN.into(), |address| format!("{address}{way}")));
    line("cpu", cpus(worker.cpu));
    line("memory", memory(worker.memory));
    line("asked", format!("{} ago ({})", ago(worker.asked, now), worker.asked));
    if let Some(jobs) = worker.jobs {
        line("jobs", jobs.to_string());
    }
    if let Some(machine) = &worker.machine {
        line("machine", machine.clone());
    }
    if let Some(console) = &worker.console {
        line("console", console.display().to_string());
    }
    // A stage that failed says so below, in more words.
    if let Some(failure) = &worker.failure
        && worker.timeline.as_ref().is_none_or(|join| join.failed().is_none())
    {
        line("failure", failure.clone());
    }
    for tried in &worker.tried {
        writeln!(out, "  {:<10}{}: {}", "tried", tried.host, tried.why).expect("a String takes everything");
    }
    if !worker.boot.is_empty() {
        out.push('\n');
        out.push_str(&boot(&worker.boot));
    }
    if let Some(join) = &worker.timeline {
        out.push('\n');
        out.push_str(&timeline(join, now, style));
    }
    out
}

/// The machine's way up to its join.
fn boot(steps: &[DeployStep]) -> String {
    let ms = |ms: u64| took(Duration::from_millis(ms));
    let whole = steps.iter().map(|step| step.took_ms).sum();
    let mut out = format!("machine took {}\n  {:<10}{:>9}{:>9}\n", ms(whole), "STEP", "TOOK", "AT");
    let mut at = 0;
    for step in steps {
        at += step.took_ms;
        let _ = writeln!(out, "  {:<10}{:>9}{:>9}", step.step, ms(step.took_ms), ms(at));
    }
    out
}
