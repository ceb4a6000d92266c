//! `status`: the whole at a glance.

use std::fmt::Write as _;

use super::tone::paint;
use crate::cli::Style;
use crate::view::{ClusterView, FrontEndView, HostState, ServiceState, Tone, WorkerState, WorkerView, ago, memory};

/// The cluster on one screen: the front-end, what it serves, hosts and workers counted by state, what wants attention.
pub fn status(view: &ClusterView, style: Style) -> String {
    let fancy = style.is_fancy();
    let mut out = String::new();
    let state = if view.front_end.up { paint(Tone::Good, "up", fancy) } else { paint(Tone::Bad, "down", fancy) };
    let since = ago(view.front_end.since, view.now);
    let _ = writeln!(out, "cluster {}: {state}; the daemon has run for {since}\n", view.cluster);
    front_end(&view.front_end, fancy, &mut out);
    line(&mut out, "vLAN", &format!("{} over {}, MTU {}", view.vlan.subnet, view.vlan.uplink, view.vlan.mtu));
    let size = u64::from(view.vlan.workers.size());
    let quarantined = match view.vlan.quarantined {
        0 => String::new(),
        some => format!(", {some} in quarantine"),
    };
    line(&mut out, "addresses", &format!("{} of {size} leased{quarantined} ({})", view.vlan.leased, view.vlan.workers));
    out.push('\n');
    line(&mut out, "hosts", &hosts(view, fancy));
    line(&mut out, "workers", &workers(view, fancy));
    line(&mut out, "capacity", &capacity(view));
    if !view.attention.is_empty() {
        out.push('\n');
    }
    for sentence in &view.attention {
        let _ = writeln!(out, "{} {sentence}", paint(Tone::Bad, "!", fancy));
    }
    out
}

fn line(out: &mut String, key: &str, value: &str) {
    let _ = writeln!(out, "{key:<11}{value}");
}

fn front_end(front_end: &FrontEndView, fancy: bool, out: &mut String) {
    let FrontEndView { name, address, public, underlay, bridge, .. } = front_end;
    line(out, "front-end", &format!("{name} {address} on {bridge}; public {public}, underlay {underlay}"));
    let mut key = "services";
    for service in &front_end.services {
        let state = paint(service.state.into(), &format!("{:<4}", service.state), fancy);
        let failure = service.failure.as_ref().map(|failure| format!(": {failure}")).unwrap_or_default();
        line(out, key, &format!("{:<8} {state}  {}{failure}", service.name, service.detail));
        key = "";
    }
    for tunnel in &front_end.tunnels {
        let state = paint(tunnel.state.into(), &format!("{:<4}", tunnel.state), fancy);
        let clients = counted(tunnel.clients as usize, "worker");
        let at = format!("{} port {}", tunnel.protocol, tunnel.port);
        line(out, key, &format!("{:<8} {state}  {clients} on {}, {at}", "OpenVPN", tunnel.tap));
        key = "";
    }
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn hosts(view: &ClusterView, fancy: bool) -> String {
    let states = [HostState::On, HostState::New, HostState::Silent, HostState::Error, HostState::Leaving];
    tally(
        states.map(|state| {
            (state.to_string(), Tone::from(state), view.hosts.iter().filter(|h| h.state == state).count())
        }),
        fancy,
    )
}

fn workers(view: &ClusterView, fancy: bool) -> String {
    let count = |state| view.workers.iter().filter(|w| w.state == state).count();
    tally(WorkerState::ALL.map(|state| (state.to_string(), Tone::from(state), count(state))), fancy)
}

/// `3 ready, 1 joining`; `none` when there is none.
fn tally<const N: usize>(counts: [(String, Tone, usize); N], fancy: bool) -> String {
    let words: Vec<_> = counts
        .into_iter()
        .filter(|(_, _, n)| *n > 0)
        .map(|(word, tone, n)| paint(tone, &format!("{n} {word}"), fancy))
        .collect();
    if words.is_empty() { "none".into() } else { words.join(", ") }
}

fn capacity(view: &ClusterView) -> String {
    let ready: Vec<&WorkerView> = view.workers.iter().filter(|w| w.state == WorkerState::Ready).collect();
    let cpu: u32 = ready.iter().map(|w| w.cpu).sum();
    let kib: u64 = ready.iter().map(|w| w.memory).sum();
    let jobs: Option<u32> = ready.iter().map(|worker| worker.jobs).sum();
    let jobs = jobs.filter(|_| !ready.is_empty());
    let jobs = jobs.map(|n| format!(", {} running", counted(n as usize, "job"))).unwrap_or_default();
    format!("{} CPUs and {} in ready workers{jobs}", super::host::cpus(cpu), memory(kib))
}

/// Whether everything that should serve does; for the exit status.
pub fn is_healthy(view: &ClusterView) -> bool {
    view.front_end.up
        && view.attention.is_empty()
        && view.front_end.services.iter().all(|service| service.state == ServiceState::Up)
        && view.front_end.tunnels.iter().all(|tunnel| tunnel.state == ServiceState::Up)
        && view.hosts.iter().all(|host| Tone::from(host.state) != Tone::Bad)
        && view.workers.iter().all(|worker| Tone::from(worker.state) != Tone::Bad)
}
