//! `host list` and `host show`.

use std::fmt::Write as _;

use comfy_table::Cell;
use jiff::Timestamp;

use super::table::Columns;
use super::tone::paint;
use crate::cli::Style;
use crate::view::{HostKind, HostView, WorkerView, ago, memory};

/// Hosts in OpenNebula's columns: running workers; CPU in hundredths: total, free (what a physical host says that nothing uses,
/// else what is promised to nobody) and available (what is promised to nobody); total and free memory in KiB.
pub fn host_list<'v>(hosts: impl IntoIterator<Item = &'v HostView>, style: Style) -> String {
    let header = ["HID>", "NAME", "RVM>", "TCPU>", "FCPU>", "ACPU>", "TMEM>", "FMEM>", "STAT"];
    let mut columns = Columns::new(&header, style);
    for host in hosts {
        let state = columns.toned(host.state, host.state);
        columns.row([
            Cell::new(host.id),
            Cell::new(&host.name),
            Cell::new(host.running_workers),
            Cell::new(host.total_cpu),
            Cell::new(host.idle_cpu.unwrap_or(host.free_cpu).min(host.total_cpu)),
            Cell::new(host.free_cpu),
            Cell::new(host.total_memory),
            Cell::new(host.available_memory.unwrap_or(host.free_memory).min(host.total_memory)),
            state,
        ]);
    }
    columns.finish()
}

/// One host in full, with its workers.
pub fn host_show(host: &HostView, workers: &[&WorkerView], now: Timestamp, style: Style) -> String {
    let mut out = format!("host {}\n", host.name);
    let mut line = |key: &str, value: String| {
        writeln!(out, "  {key:<10}{value}").expect("a String takes everything");
    };
    line("id", host.id.to_string());
    let kind = match host.kind {
        HostKind::Physical => "physical",
        HostKind::Cloud => "cloud",
    };
    line("kind", host.detail.as_ref().map_or_else(|| kind.into(), |detail| format!("{kind}: {detail}")));
    let since = host.since.map(|since| format!(", for {}", ago(since, now))).unwrap_or_default();
    line("state", format!("{}{since}", paint(host.state.into(), host.state.as_str(), style.is_fancy())));
    if let Some(failure) = &host.failure {
        line("failure", failure.clone());
    }
    if let Some(underlay) = host.underlay {
        line("underlay", underlay.to_string());
    }
    if let Some(bridge) = &host.bridge {
        line("bridge", bridge.clone());
    }
    if let Some(machines) = &host.machines {
        line("machines", machines.clone());
    }
    let (total, free) = (host.total_cpu, host.free_cpu);
    line("cpu", format!("{} of {} promised, {} free", cpus(host.allocated_cpu), cpus(total), cpus(free)));
    let (total, free) = (memory(host.total_memory), memory(host.free_memory));
    line("memory", format!("{} of {total} promised, {free} free", memory(host.allocated_memory)));
    if let Some((idle, available)) = host.idle_cpu.zip(host.available_memory) {
        line("load", format!("{} CPUs idle, {} of memory unused", cpus(idle), memory(available)));
    }
    if !workers.is_empty() {
        out.push('\n');
        out.push_str(&super::worker_list(workers.iter().copied(), now, style));
    }
    out
}

/// Hundredths of a processor as processors.
pub(super) fn cpus(hundredths: u32) -> String {
    if hundredths.is_multiple_of(100) {
        (hundredths / 100).to_string()
    } else {
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    }
}
