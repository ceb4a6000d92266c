//! `landbridge init`, `check`, `schema`: the cluster's file itself.

use std::io::Write as _;
use std::process::ExitCode;

use super::{CliError, Context, Style, findings, machine, render};
use crate::spec::{self, Cluster, ClusterName, Findings};

#[derive(clap::Args, Debug)]
pub(super) struct Init {
    /// The cluster's name.
    #[arg(long, default_value = "ursa", value_parser = |name: &str| ClusterName::new(name))]
    name: ClusterName,
    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
}

pub(super) fn init(context: &Context, init: &Init) -> Result<ExitCode, CliError> {
    let text = spec::template(&spec::example(init.name.clone()));
    if let Some(parent) = context.file.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true);
    let opened =
        if init.force { options.create(true).truncate(true) } else { options.create_new(true) }.open(&context.file);
    let mut file = match opened {
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(CliError::Careful {
                what: format!("{} is there already", context.file.display()),
                remedy: "--force replaces it; --file names another".into(),
            });
        }
        opened => opened?,
    };
    file.write_all(text.as_bytes())?;
    println!("{} is written: change it to your cluster, then landbridge check", context.file.display());
    Ok(ExitCode::SUCCESS)
}

pub(super) fn check(context: &Context) -> Result<ExitCode, CliError> {
    let cluster = load(context)?;
    let stranded = machine::stranded(context, &cluster)?;
    if !stranded.is_empty() {
        return Err(CliError::Obstacles(stranded.join("\n")));
    }
    let hosts = cluster.hosts.len();
    println!(
        "{} is good: cluster {} on {}, {hosts} host{}",
        context.file.display(),
        cluster.name,
        cluster.vlan.subnet,
        if hosts == 1 { "" } else { "s" },
    );
    Ok(ExitCode::SUCCESS)
}

pub(super) fn schema() -> ExitCode {
    print!("{}", render::json(&spec::schema()));
    ExitCode::SUCCESS
}

/// The cluster as its file says. Findings are printed to standard error; any error among them ends the command.
pub(super) fn load(context: &Context) -> Result<Cluster, CliError> {
    let path = &context.file;
    let text = std::fs::read_to_string(path).map_err(|source| CliError::Read { path: path.clone(), source })?;
    let show = |found: &Findings| {
        if !found.is_empty() {
            eprintln!("{}", findings::render(found, &path.display().to_string(), &text, Style::of(&std::io::stderr())));
        }
    };
    match spec::parse(&text) {
        Ok(parsed) => {
            show(&parsed.warnings);
            Ok(parsed.cluster)
        }
        Err(found) => {
            show(&found);
            Err(CliError::Findings { path: path.clone(), errors: found.errors() })
        }
    }
}
