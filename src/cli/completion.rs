//! Completions and manual pages, from the same source as `--help`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Subcommand};

use super::{Arguments, CliError, DaemonArguments};

#[derive(Subcommand, Debug)]
pub(super) enum Generate {
    /// Completions for a shell, to standard output.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Manual pages of landbridge, landbridged and landbridge-node, a file a command.
    Man {
        /// Where they go.
        directory: PathBuf,
    },
}

pub(super) fn run(generate: &Generate) -> Result<ExitCode, CliError> {
    match generate {
        Generate::Completions { shell } => {
            clap_complete::generate(*shell, &mut Arguments::command(), "landbridge", &mut std::io::stdout());
        }
        Generate::Man { directory } => {
            std::fs::create_dir_all(directory)?;
            clap_mangen::generate_to(Arguments::command(), directory)?;
            clap_mangen::generate_to(DaemonArguments::command(), directory)?;
            clap_mangen::generate_to(landbridge_node::cli::Args::command(), directory)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
