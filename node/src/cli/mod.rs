//! The command line: what is asked for, and the exit code that answers.

mod args;
mod exit;
mod host;
mod program;
mod status;
mod token;
mod worker;

pub use args::Args;
pub use exit::Exit;
pub use program::main;

use args::{Command, HostCommand};

/// Carries out a command line. Everything that a person should read has been printed when it returns.
async fn run(args: Args) -> Exit {
    let paths = args.paths();
    let done = match args.command {
        Command::Join(join) => worker::join(paths, join).await,
        Command::Agent { detached } => worker::agent(paths, detached).await,
        Command::Leave => worker::leave(paths).await,
        Command::Status { output } => status::print(&paths, output),
        Command::Host(HostCommand::Join { token, foreground }) => host::join(paths, &token, foreground).await,
        Command::Host(HostCommand::Run { detached }) => host::run(paths, detached).await,
        Command::Host(HostCommand::Leave) => host::leave(paths).await,
    };
    done.unwrap_or_else(|problem| {
        remark(&problem.text);
        problem.exit
    })
}

/// Beside the output, for a person.
fn remark(text: &str) {
    eprintln!("landbridge-node: {text}");
}
