//! `landbridge worker boot` and `landbridge worker console`.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use landbridge_pki::NodeName;

use super::client::Client;
use super::progress::Crowd;
use super::render::{self, Output};
use super::{CliError, Context, Listed, template};
use crate::daemon::ConsoleView;
use crate::lifecycle::{BootAnswer, BootRequest};
use crate::placement::Strategy;
use crate::template::Target;
use crate::view::{HostKind, HostView, WorkerState, WorkerView};

/// The template that is meant when none is named, beside the cluster's file.
const TEMPLATE: &str = "worker.toml";
/// The daemon has no subscription for people, who look four times a second.
const LOOK: Duration = Duration::from_millis(250);

#[derive(clap::Args, Debug)]
pub(super) struct Boot {
    /// What the workers are, in OpenNebula's syntax or TOML; by default worker.toml beside the cluster's file.
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// How many.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    count: u32,
    /// Only on this host or cloud; by default local hosts first, then clouds.
    #[arg(long, value_name = "HOST")]
    on: Option<NodeName>,
    /// The name of a single worker; by default the first free of w1, w2, …
    #[arg(long)]
    name: Option<NodeName>,
    /// Fill one host before the next (the default).
    #[arg(long, conflicts_with = "spread")]
    pack: bool,
    /// Keep all hosts equally busy.
    #[arg(long)]
    spread: bool,
    /// Only say where each would go, and why.
    #[arg(long)]
    dry_run: bool,
    /// How long each may take until it is ready; then its machine is destroyed and its console kept. By default 5m, and 10m
    /// where machines are emulated.
    #[arg(long, value_name = "DURATION", value_parser = super::duration)]
    within: Option<Duration>,
    /// Return only when all are ready or have failed, or after this long with an error.
    #[arg(long, value_name = "DURATION", num_args = 0..=1, default_missing_value = "15m", value_parser = super::duration)]
    wait: Option<Duration>,
    #[command(flatten)]
    output: Listed,
}

pub(super) fn boot(context: &Context, boot: &Boot) -> Result<ExitCode, CliError> {
    if boot.name.is_some() && boot.count != 1 {
        return Err(CliError::Refused("--name is for a single worker: leave it out, or leave --count out".into()));
    }
    let path = boot.template.clone().unwrap_or_else(|| context.file.with_file_name(TEMPLATE));
    let template = template::load(&path)?;
    let client = Client::new(context)?;
    let hosts: Vec<HostView> = client.get("/v1/hosts")?;
    template.runs_somewhere(&path, &targets(&hosts, |host| boot.on.as_ref().is_none_or(|on| on.as_str() == host)))?;
    let answer: BootAnswer = client.post("/v1/boot", &request(boot, &template))?;
    template.tell_limits(&targets(&hosts, |host| answer.workers.iter().any(|booted| booted.host.as_str() == host)));
    let wants_json = boot.output.output == Output::Json;
    let waits = boot.wait.filter(|_| !boot.dry_run);
    if wants_json && waits.is_none() {
        print!("{}", render::json(&answer));
    } else if !wants_json {
        for booted in &answer.workers {
            match &booted.name {
                Some(name) => println!("{name} goes to {} ({})", booted.host, booted.why),
                None => println!("would go to {} ({})", booted.host, booted.why),
            }
        }
    }
    let mut bad = Vec::new();
    if let Some(patience) = waits {
        let names: Vec<NodeName> = answer.workers.iter().filter_map(|booted| booted.name.clone()).collect();
        let workers = wait(&client, &names, patience, wants_json)?;
        if wants_json {
            print!("{}", render::json(&workers));
        }
        bad.extend(workers.iter().filter_map(|worker| told(worker, patience)));
    }
    if answer.missing > 0 {
        bad.push(format!("{} of {} workers can't be had:", answer.missing, boot.count));
        bad.extend(answer.refused);
    }
    if bad.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(CliError::Refused(bad.join("\n"))) }
}

fn request(boot: &Boot, template: &template::Loaded) -> BootRequest {
    let patience_secs = boot.within.map(|within| u32::try_from(within.as_secs().max(1)).unwrap_or(u32::MAX));
    BootRequest {
        template: template.parsed.template.clone(),
        count: boot.count,
        name: boot.name.clone(),
        on: boot.on.clone(),
        strategy: if boot.spread { Strategy::Spread } else { Strategy::Pack },
        patience_secs,
        dry_run: boot.dry_run,
    }
}

/// Who makes machines on those of the hosts.
fn targets(hosts: &[HostView], is_meant: impl Fn(&str) -> bool) -> Vec<Target> {
    let all = [(HostKind::Physical, Target::Libvirt), (HostKind::Cloud, Target::Ec2)];
    let some = |kind| hosts.iter().any(|host| host.kind == kind && is_meant(&host.name));
    all.into_iter().filter(|(kind, _)| some(*kind)).map(|(_, target)| target).collect()
}

/// Shows each worker's way until all have come to its end, or `patience` is over. A daemon that is started anew meanwhile is
/// waited for.
fn wait(client: &Client, names: &[NodeName], patience: Duration, quiet: bool) -> Result<Vec<WorkerView>, CliError> {
    let (start, mut crowd) = (Instant::now(), Crowd::new(names, quiet));
    let mut seen: BTreeMap<&NodeName, WorkerView> = BTreeMap::new();
    loop {
        let is_late = start.elapsed() > patience;
        for name in names {
            if seen.get(name).is_some_and(|worker| has_ended(worker.state)) {
                continue;
            }
            match client.get::<WorkerView>(&format!("/v1/workers/{name}")) {
                Ok(worker) => {
                    crowd.show(name, &worker.state_text(), has_ended(worker.state), start.elapsed());
                    seen.insert(name, worker);
                }
                Err(CliError::NoDaemon { .. } | CliError::Http { .. }) if !is_late => break,
                Err(error) => return Err(error),
            }
        }
        let all_ended = seen.len() == names.len() && seen.values().all(|worker| has_ended(worker.state));
        if all_ended || is_late {
            crowd.finish();
            return Ok(seen.into_values().collect());
        }
        std::thread::sleep(LOOK);
    }
}

fn has_ended(state: WorkerState) -> bool {
    matches!(state, WorkerState::Ready | WorkerState::Failed | WorkerState::Leaving | WorkerState::Gone)
}

/// What is said of a worker that is not ready after all that waiting.
fn told(worker: &WorkerView, patience: Duration) -> Option<String> {
    if worker.state == WorkerState::Ready {
        return None;
    }
    let still = if has_ended(worker.state) { String::new() } else { format!("still, after {patience:?}, ") };
    let why = worker.failure.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    Some(format!("{} is {still}{}{why}", worker.name, worker.state_text()))
}

/// What a worker's machine wrote to its console.
pub(super) fn console(client: &Client, name: &NodeName) -> Result<ExitCode, CliError> {
    let console: ConsoleView = client.get(&format!("/v1/workers/{name}/console"))?;
    let none =
        || CliError::Refused(format!("{name} has no console that could be read: no machine of ours, or none kept"));
    let text = console.text.ok_or_else(none)?;
    // Whoever is root there could give orders to the terminal; a file gets every byte.
    let is_shown = std::io::stdout().is_terminal();
    print!(
        "{}",
        if is_shown { text.chars().filter(|c| !c.is_control() || "\n\t".contains(*c)).collect() } else { text }
    );
    Ok(ExitCode::SUCCESS)
}
