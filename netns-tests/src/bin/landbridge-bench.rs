//! Measures Landbridge beside its peers. `scripts/bench` builds and runs it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use netns_tests::bench::{self, MEASUREMENTS, Outcome, probe};

/// Landbridge beside its peers, in one run on this machine.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure, print, and keep.
    Run {
        /// What to measure; everything if nothing.
        names: Vec<String>,
        /// The directory of benchmarks.md and benchmarks.json; without it nothing is kept.
        #[arg(long)]
        keep: Option<PathBuf>,
    },
    /// Show what can be measured.
    List,
    /// Write benchmarks.md anew from benchmarks.json.
    Render {
        /// The directory of both.
        directory: PathBuf,
    },
    /// A part of a measurement, inside a machine of the lab.
    #[command(subcommand, hide = true)]
    Probe(Probe),
}

#[derive(Subcommand)]
enum Probe {
    /// Fill the front-end's memory with workers.
    Crew {
        /// How many.
        count: u32,
    },
    /// Time reconciles: nanoseconds, one a line.
    Reconcile {
        /// How many.
        runs: u32,
        /// As if somebody had come or gone before each.
        #[arg(long)]
        anew: bool,
    },
    /// Heartbeats in a second.
    Heartbeats {
        /// From how many workers at once.
        workers: u32,
        /// For so many seconds.
        secs: u64,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes = std::iter::successors(error.source(), |error| error.source());
            eprintln!("landbridge-bench: {}", causes.fold(error.to_string(), |all, cause| format!("{all}: {cause}")));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Outcome<()> {
    match command {
        Command::Run { names, keep } => bench::run(&bench::chosen(&names)?, keep.as_deref()),
        Command::Render { directory } => bench::render_kept(&directory),
        Command::List => {
            for measurement in MEASUREMENTS {
                println!("{:12}{}", measurement.name, measurement.title);
            }
            Ok(())
        }
        Command::Probe(Probe::Crew { count }) => probe::crew(count),
        Command::Probe(Probe::Reconcile { runs, anew }) => {
            for time in probe::reconcile(runs, anew)? {
                println!("{}", time.as_nanos());
            }
            Ok(())
        }
        Command::Probe(Probe::Heartbeats { workers, secs }) => {
            println!("{}", probe::heartbeats(workers, Duration::from_secs(secs))?);
            Ok(())
        }
    }
}
