//! Brings a lab up, lets people enter its machines, takes it down.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use comfy_table::{Table, presets::NOTHING};

use netns_tests::hold::{self, HoldError, client, server};
use netns_tests::scenario::{self, SCENARIOS};

/// A cluster on this machine, to look at: real programs in namespaces and user-mode-linux machines.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring a lab up; it stays until `down`.
    Up {
        /// What to build (`landbridge-lab topologies` shows all).
        topology: String,
        /// The lab's name; the topology's if none.
        #[arg(long)]
        name: Option<String>,
    },
    /// Show the topologies that can be brought up.
    Topologies,
    /// Show the labs that are up, and their machines.
    List,
    /// Run a program on a machine.
    Exec {
        #[command(flatten)]
        lab: LabName,
        /// The machine.
        machine: String,
        /// The program and its arguments.
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Open a shell on a machine.
    Shell {
        #[command(flatten)]
        lab: LabName,
        /// The machine.
        machine: String,
    },
    /// Take a lab down; nothing of it is left.
    Down {
        #[command(flatten)]
        lab: LabName,
    },
    /// Hold a lab (what `up` starts).
    #[command(hide = true)]
    Hold {
        /// The topology.
        topology: String,
        /// The lab's name.
        name: String,
    },
}

/// Which lab; needed only if several are up.
#[derive(clap::Args)]
struct LabName {
    /// The lab's name; the only one that is up if none.
    #[arg(long)]
    name: Option<String>,
}

impl LabName {
    fn resolve(self) -> Result<String, HoldError> {
        if let Some(name) = self.name {
            return Ok(name);
        }
        let names = hold::names().map_err(|source| HoldError::Io { operation: "listing labs", source })?;
        match names.iter().collect::<Vec<_>>().as_slice() {
            [] => Err(HoldError::Refused("no lab is up: `landbridge-lab up figure` brings one up".to_owned())),
            [only] => Ok((*only).clone()),
            _ => {
                let all = names.into_iter().collect::<Vec<_>>().join(", ");
                Err(HoldError::Refused(format!("several labs are up ({all}): choose one with --name")))
            }
        }
    }
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(status) => ExitCode::from(u8::try_from(status).unwrap_or(u8::MAX)),
        Err(err) => {
            eprintln!("landbridge-lab: {err}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<i32, HoldError> {
    match command {
        Command::Up { topology, name } => {
            let topology = scenario::find(&topology)?.name;
            let name = name.unwrap_or_else(|| topology.to_owned());
            client::up(&name, &["hold", topology, &name])?;
            println!("lab {name} is up: landbridge-lab shell MACHINE, landbridge-lab down");
        }
        Command::Topologies => {
            print_rows(SCENARIOS.iter().map(|known| [known.name.to_owned(), known.about.to_owned()]));
        }
        Command::List => print_rows(list()?),
        Command::Exec { lab, machine, command } => return client::exec(&lab.resolve()?, &machine, &command),
        Command::Shell { lab, machine } => return client::shell(&lab.resolve()?, &machine),
        Command::Down { lab } => client::down(&lab.resolve()?)?,
        Command::Hold { topology, name } => server::hold(&name, scenario::find(&topology)?)?,
    }
    Ok(0)
}

fn list() -> Result<Vec<[String; 3]>, HoldError> {
    let names = hold::names().map_err(|source| HoldError::Io { operation: "listing labs", source })?;
    let mut rows = vec![["LAB", "HELD BY", "MACHINES"].map(str::to_owned)];
    for name in names {
        // One that went away meanwhile is no longer up.
        if let (Ok(holder), Ok(machines)) = (client::holder(&name), client::machines(&name)) {
            rows.push([name, format!("process {holder}"), machines.join(" ")]);
        }
    }
    Ok(rows)
}

fn print_rows<const COLUMNS: usize>(rows: impl IntoIterator<Item = [String; COLUMNS]>) {
    let mut table = Table::new();
    table.load_style(NOTHING).add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    println!("{}", table.trim_fmt());
}
