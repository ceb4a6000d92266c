//! The command line's grammar.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use landbridge_fabric::InterfaceName;

use crate::paths::Paths;
use crate::wire::Via;

/// Joins this machine to a Landbridge cluster and keeps it there.
///
/// Exit codes: 0 done (for join: ready); 1 something on this machine stands in the way; 2 wrong usage; 3 no token, or one
/// that is none; 4 another landbridge-node is at work; 10 to 18 the stage that failed: contact, identity, link, address,
/// mtu, nfs, nis, queue, canary.
#[derive(Debug, Parser)]
#[command(name = "landbridge-node", version, arg_required_else_help = true)]
pub struct Args {
    /// Where the identity and everything else is kept that must survive a reboot.
    #[arg(long, global = true, hide = true, default_value = "/var/lib/landbridge-node")]
    state: PathBuf,
    /// Where process records are kept.
    #[arg(long, global = true, hide = true, default_value = "/run/landbridge-node")]
    run: PathBuf,
    /// Where logs go.
    #[arg(long, global = true, hide = true, default_value = "/var/log/landbridge-node")]
    log: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Join the cluster as a worker, or join again after a reboot (then without a token).
    Join(JoinArgs),
    /// Keep a joined worker as the front-end wants it. `join` starts this.
    Agent {
        /// Leave the caller's session and say `ready` when at work.
        #[arg(long, hide = true)]
        detached: bool,
    },
    /// Undo everything on this machine without asking the front-end.
    Leave,
    /// Show who this machine is and how its join went.
    Status {
        /// How to show it.
        #[arg(long, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
    /// For a physical host.
    #[command(subcommand)]
    Host(HostCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum HostCommand {
    /// Enrol this physical host with a token, and start carrying out its fabric.
    Join {
        #[command(flatten)]
        token: TokenArgs,
        /// Stay in the foreground instead of starting `host run` detached.
        #[arg(long)]
        foreground: bool,
    },
    /// Carry out the fabric that the front-end wants, and repair its drift.
    Run {
        /// Leave the caller's session and say `ready` when at work.
        #[arg(long, hide = true)]
        detached: bool,
    },
    /// Undo everything on this host without asking the front-end.
    Leave,
}

#[derive(Debug, clap::Args)]
pub(super) struct JoinArgs {
    /// How to reach the vLAN; without it, the token says.
    #[arg(long, value_enum)]
    pub(super) via: Option<Way>,
    /// The NIC on the vLAN's bridge; without it, the only Ethernet NIC without an address.
    #[arg(long, value_name = "NIC")]
    pub(super) dev: Option<InterfaceName>,
    #[command(flatten)]
    pub(super) token: TokenArgs,
    /// Take the token from the user-data that this machine was made with: on a disk labelled CIDATA, or from the cloud's metadata
    /// service.
    #[arg(long, conflicts_with_all = ["token_file", "token_stdin"])]
    pub(super) user_data: bool,
    /// All stages together may take this long.
    #[arg(long, value_name = "SECS", default_value = "180", value_parser = seconds)]
    pub(super) deadline: Duration,
    /// Become the agent instead of starting it detached.
    #[arg(long)]
    pub(super) foreground: bool,
}

#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(super) struct TokenArgs {
    /// A file with the token. (A token in the arguments could be read by everybody on the machine.)
    #[arg(long, value_name = "PATH")]
    pub(super) token_file: Option<PathBuf>,
    /// Read the token from standard input.
    #[arg(long)]
    pub(super) token_stdin: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Way {
    /// An OpenVPN tunnel to the front-end.
    Tunnel,
    /// A NIC on a physical host's bridge.
    Bridge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Args {
    pub(super) fn paths(&self) -> Paths {
        Paths { state: self.state.clone(), run: self.run.clone(), log: self.log.clone() }
    }

    /// Whether this process will go on for long, and so says more in its log.
    pub fn is_daemon(&self) -> bool {
        match &self.command {
            Command::Agent { .. } | Command::Host(HostCommand::Run { .. }) => true,
            Command::Join(join) => join.foreground,
            Command::Host(HostCommand::Join { foreground, .. }) => *foreground,
            _ => false,
        }
    }
}

impl From<Way> for Via {
    fn from(way: Way) -> Self {
        match way {
            Way::Tunnel => Self::Tunnel,
            Way::Bridge => Self::Bridge,
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..) => Ok(Duration::from_secs(seconds)),
        _ => Err("a number of seconds, at least 1".into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_token_comes_from_one_place() {
        let words = ["landbridge-node", "join", "--token-stdin", "--token-file", "t"];
        assert!(Args::try_parse_from(words).is_err());
        assert!(Args::try_parse_from(["landbridge-node", "join", "--token-stdin", "--user-data"]).is_err());
        assert!(Args::try_parse_from(["landbridge-node", "join", "--deadline", "0"]).is_err());
    }

    #[test]
    fn the_golden_images_unit_starts_a_command_that_there_is() {
        let unit = include_str!("../../landbridge-node-boot.service");
        let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("a command");
        let Command::Join(join) = Args::parse_from(line.split(' ')).command else { panic!("{line}") };
        assert!(join.user_data && join.foreground);
    }
}
