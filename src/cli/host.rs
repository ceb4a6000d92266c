//! `landbridge host`.

use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use jiff::Timestamp;
use landbridge_pki::NodeName;

use super::client::Client;
use super::render::{self, Output};
use super::{CliError, Context, Listed, Style, ssh, token};
use crate::daemon::{Changed, HostRequest};
use crate::lifecycle::HostOffer;
use crate::view::{HostView, WorkerView};

#[derive(Subcommand, Debug)]
pub(super) enum Host {
    /// Physical hosts and clouds with total, free and allocated CPU and memory.
    List(Listed),
    /// One host.
    Show {
        /// Its name.
        name: NodeName,
        #[command(flatten)]
        output: Listed,
    },
    /// Enrol a physical host that stands in the cluster's file.
    Add(Add),
    /// Ask a physical host to give its fabric back, and take it out of the cluster.
    Remove {
        /// Its name.
        name: NodeName,
        /// For a host that can't be reached any more: don't wait for it.
        #[arg(long)]
        force: bool,
    },
}

#[derive(clap::Args, Debug)]
pub(super) struct Add {
    /// Its name in the cluster's file.
    name: NodeName,
    /// Install landbridge-node there over OpenSSH and enrol it; without, the line to run there is printed.
    #[arg(long, value_name = "USER@HOST")]
    ssh: Option<String>,
    /// For how long the token is good.
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = token::life)]
    expires: Duration,
    #[command(flatten)]
    output: Listed,
}

pub(super) fn run(context: &Context, host: Host) -> Result<ExitCode, CliError> {
    let client = Client::new(context)?;
    match host {
        Host::List(output) => list(&client, output),
        Host::Show { name, output } => show(&client, &name, output),
        Host::Add(add) => self::add(&client, &add),
        Host::Remove { name, force } => {
            let changed: Changed = client.delete(&format!("/v1/hosts/{name}?force={force}"))?;
            println!(
                "{name} {}",
                match (changed.changed, force) {
                    (true, true) => "is removed",
                    (true, false) => "gives its fabric back and is then removed",
                    (false, _) => "is leaving already, or was never added; nothing was changed",
                }
            );
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn list(client: &Client, output: Listed) -> Result<ExitCode, CliError> {
    let hosts: Vec<HostView> = client.get("/v1/hosts")?;
    match output.output {
        Output::Json => print!("{}", render::json(&hosts)),
        Output::Table => print!("{}", render::host_list(&hosts, Style::of(&std::io::stdout()))),
    }
    Ok(ExitCode::SUCCESS)
}

fn show(client: &Client, name: &NodeName, output: Listed) -> Result<ExitCode, CliError> {
    let hosts: Vec<HostView> = client.get("/v1/hosts")?;
    let unknown = || CliError::Refused(format!("there is no host {name}"));
    let host = hosts.into_iter().find(|h| h.name == name.as_str()).ok_or_else(unknown)?;
    match output.output {
        Output::Json => print!("{}", render::json(&host)),
        Output::Table => {
            let workers: Vec<WorkerView> = client.get("/v1/workers")?;
            let mine: Vec<&WorkerView> = workers.iter().filter(|w| w.host.as_deref() == Some(name.as_str())).collect();
            print!("{}", render::host_show(&host, &mine, Timestamp::now(), Style::of(&std::io::stdout())));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn add(client: &Client, add: &Add) -> Result<ExitCode, CliError> {
    let request = HostRequest { life_secs: token::secs(add.expires) };
    let offer: HostOffer = client.post(&format!("/v1/hosts/{}", add.name), &request)?;
    if let Some(target) = &add.ssh {
        ssh::enrol(target, &offer.token)?;
        println!("{} is enrolled; its fabric follows within seconds: landbridge host list", add.name);
    } else if add.output.output == Output::Json {
        print!("{}", render::json(&offer));
    } else {
        println!("Run this on {}, as root:\n\n  {}", add.name, token::line("host join", &offer.token));
    }
    Ok(ExitCode::SUCCESS)
}
