//! Starts the agent in a session of its own.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::machine::crash;
use crate::paths::Paths;

/// What a started agent says on its standard output when it has taken over.
const READY: &str = "ready";

/// The agent was not started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The kernel said no.
    #[error("starting the agent")]
    Start(#[source] io::Error),
    /// It ended at once.
    #[error("the agent ended at once; see {0}")]
    Ended(String),
}

/// The program that runs now, for whoever starts it again.
pub fn program() -> Result<PathBuf, LaunchError> {
    std::env::current_exe().map_err(LaunchError::Start)
}

/// Starts `landbridge-node WORDS` detached with the same directories, logging to `log`, and waits until it says that it has
/// taken over.
pub fn detached(words: &[&str], paths: &Paths, log: &Path) -> Result<(), LaunchError> {
    let output = open_log(log).map_err(LaunchError::Start)?;
    let mut child = Command::new(program()?)
        .args(words)
        .arg("--detached")
        // Whoever starts it may be asked to die at a moment of its own.
        .env_remove(crash::PROGRAM)
        .args([OsStr::new("--state"), paths.state.as_os_str()])
        .args([OsStr::new("--run"), paths.run.as_os_str()])
        .args([OsStr::new("--log"), paths.log.as_os_str()])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(output)
        .spawn()
        .map_err(LaunchError::Start)?;
    let mut said = String::new();
    let output = child.stdout.take().expect("a pipe was asked for");
    // The end of the pipe comes with the agent's end, so this waits for the one or the other.
    BufReader::new(output).read_line(&mut said).map_err(LaunchError::Start)?;
    if said.trim() == READY { Ok(()) } else { Err(LaunchError::Ended(log.display().to_string())) }
}

fn open_log(path: &Path) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// In the agent: leaves the session of whoever started it.
pub fn leave_session() -> Result<(), LaunchError> {
    nix::unistd::setsid().map(drop).map_err(|errno| LaunchError::Start(errno.into()))
}

/// In the agent: says that it has taken over.
pub fn say_ready() {
    let mut out = io::stdout();
    // Nobody reads this when a person started it by hand.
    let _ = writeln!(out, "{READY}").and_then(|()| out.flush());
}
