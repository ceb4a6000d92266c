//! What a person's command and the holder of a lab say to each other; lines of JSON, as with the agents.

use serde::{Deserialize, Serialize};

use crate::agent::message::{Bytes, TerminalSize};

/// From the command to the holder. The first says what is wanted, the others belong to a program that runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Order {
    /// Run a program on a machine.
    Exec {
        /// The machine.
        machine: String,
        /// The program and its arguments.
        argv: Vec<String>,
        /// Environment beyond the machine's own.
        env: Vec<(String, String)>,
        /// On a terminal of this size; without, on pipes.
        terminal: Option<TerminalSize>,
    },
    /// Input for it.
    Stdin(Bytes),
    /// End of its input.
    CloseStdin,
    /// Its terminal's new size.
    Resize(TerminalSize),
    /// Name the machines.
    List,
    /// Take the lab down.
    Down,
}

/// From the holder to the command.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Report {
    /// The program wrote to its standard output.
    Stdout(Bytes),
    /// The program wrote to its standard error.
    Stderr(Bytes),
    /// The program ended.
    Exit(i32),
    /// The machines' names.
    Machines(Vec<String>),
    /// What was asked for is done.
    Done,
    /// It can't be done; why.
    Failed(String),
}
