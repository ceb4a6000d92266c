//! The command line: a file a noun. The only code that prints.

mod audit;
mod boot;
mod check;
mod client;
mod completion;
mod error;
mod events;
pub mod findings;
mod host;
mod landbridged;
mod machine;
mod pki;
pub mod program;
mod progress;
pub mod render;
mod report;
mod show;
mod ssh;
mod style;
mod template;
mod token;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::paths::Paths;

pub use error::CliError;
pub use landbridged::{DaemonArguments, run_daemon};
pub use style::Style;

/// Where the cluster's file is unless told otherwise.
const CLUSTER_FILE: &str = "/etc/landbridge/cluster.toml";

/// One private LAN, bridged from your racks into EC2.
///
/// Landbridge builds the network of an elastic compute cluster and attaches machines to it: a front-end, virtual machines
/// on your own hosts, and instances in EC2 all sit on one private vLAN, mount the same home directories, know the same
/// users and take jobs from the same queue.
#[derive(Parser, Debug)]
#[command(name = "landbridge", version, propagate_version = true, max_term_width = 100)]
pub struct Arguments {
    /// The cluster's file.
    #[arg(long, short, global = true, value_name = "PATH", default_value = CLUSTER_FILE)]
    file: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Write a commented cluster.toml.
    Init(check::Init),
    /// Say everything that is wrong with the cluster's file, at once.
    Check,
    /// Print the JSON schema of the cluster's file.
    Schema,
    /// Show what `up` would change; exit status 0: nothing, 2: something.
    Plan,
    /// Make this machine the front-end: vLAN, keys, tunnels, NFS, NIS, queue.
    Up(machine::Up),
    /// Give everything back that `up` made.
    Down(machine::Down),
    /// Physical hosts and clouds.
    #[command(subcommand)]
    Host(host::Host),
    /// Workers, wherever they run.
    #[command(subcommand)]
    Worker(worker::Worker),
    /// Worker templates: what a worker's machine is, in OpenNebula's own syntax or in TOML.
    #[command(subcommand)]
    Template(template::Template),
    /// Join tokens.
    #[command(subcommand)]
    Token(token::Token),
    /// Certificates.
    #[command(subcommand)]
    Pki(pki::Pki),
    /// Figures of what was done.
    #[command(subcommand)]
    Report(report::Report),
    /// The whole at a glance.
    Status(show::Status),
    /// The cluster as a picture.
    Topology(show::Topology),
    /// What happened, newest last.
    Events(events::Events),
    /// What is left over on either side.
    Audit(audit::Audit),
    /// Write manual pages, or print a shell's completions.
    #[command(subcommand)]
    Generate(completion::Generate),
}

/// How a list is printed.
#[derive(clap::Args, Clone, Copy, Debug)]
struct Listed {
    /// For people, or for programs.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output: render::Output,
}

/// Where things are for this invocation.
struct Context {
    file: PathBuf,
    paths: Paths,
}

/// Runs a command line. The exit status is the command's own; errors are the caller's to print.
pub fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let context = Context { file: arguments.file, paths: Paths::default() };
    match arguments.command {
        Command::Init(init) => check::init(&context, &init),
        Command::Check => check::check(&context),
        Command::Schema => Ok(check::schema()),
        Command::Plan => machine::plan(&context),
        Command::Up(up) => machine::up(&context, &up),
        Command::Down(down) => machine::down(&context, &down),
        Command::Host(host) => host::run(&context, host),
        Command::Worker(worker) => worker::run(&context, worker),
        Command::Template(template) => template::run(template),
        Command::Token(token) => token::run(&context, &token),
        Command::Pki(pki) => pki::run(&context, pki),
        Command::Report(report) => report::run(&context, &report),
        Command::Status(status) => show::status(&context, &status),
        Command::Topology(topology) => show::topology(&context, &topology),
        Command::Events(events) => events::run(&context, &events),
        Command::Audit(audit) => audit::run(&context, &audit),
        Command::Generate(generate) => completion::run(&generate),
    }
}

/// A span of time as people write it: `90s`, `10m`, `1h 30m`.
fn duration(text: &str) -> Result<std::time::Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|_| format!("{text:?} is no duration, like 90s or 10m"))?;
    span.try_into().map_err(|_| format!("{text:?} lies in the past"))
}
