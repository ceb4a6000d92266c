//! How Grid Engine is asked: one program at a time, in a clean environment, with a deadline.

use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use tokio::process::Command;

use super::{EXECD_PORT, PROGRAMS, QMASTER_PORT, ROOT};
use crate::scheduler::SchedulerError;

/// They answer in milliseconds; a queue master that is gone is told at once. This is for one that hangs.
const DEADLINE: Duration = Duration::from_secs(15);

/// From here on somebody waits for the queue master who should not have to: the log says for what.
const SLOW: Duration = Duration::from_secs(2);

/// Runs Grid Engine's programs for one cell.
#[derive(Clone, Debug)]
pub(super) struct Commands {
    cell: String,
    through: Vec<String>,
}

/// One thing to ask.
pub(super) struct Request<'a> {
    /// For the error: what is tried …
    pub(super) operation: &'static str,
    /// … and to whom.
    pub(super) object: &'a str,
    /// Program and arguments.
    pub(super) argv: Vec<&'a str>,
    /// Complaints that mean that it is so already.
    pub(super) settled: &'static [&'static str],
}

impl Commands {
    /// For one cell, on this machine.
    pub(super) fn new(cell: String) -> Self {
        Self { cell, through: vec![] }
    }

    /// The same, through other words (`nsenter …`).
    pub(super) fn through(self, through: Vec<String>) -> Self {
        Self { through, ..self }
    }

    /// What every program of Grid Engine needs to know.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let ports = [("SGE_QMASTER_PORT", QMASTER_PORT), ("SGE_EXECD_PORT", EXECD_PORT)];
        let ports = ports.map(|(name, port)| (name.into(), port.to_string()));
        [("SGE_ROOT".into(), ROOT.into()), ("SGE_CELL".into(), self.cell.clone())].into_iter().chain(ports).collect()
    }

    /// Asks, and returns what was said on standard output. A complaint that is `settled` is no error.
    pub(super) async fn ask(&self, request: Request<'_>) -> Result<String, SchedulerError> {
        let failed =
            |seen: String| SchedulerError { operation: request.operation, object: request.object.into(), seen };
        let begun = Instant::now();
        let answer = tokio::time::timeout(DEADLINE, self.command(&request.argv).output()).await;
        if begun.elapsed() > SLOW {
            tracing::warn!(object = request.object, argv = ?request.argv, took = ?begun.elapsed(), "the queue master is slow");
        }
        let output = match answer {
            Err(_) => return Err(failed(format!("{} did not answer within {DEADLINE:?}", request.argv[0]))),
            Ok(Err(error)) => return Err(failed(format!("{} could not be run: {error}", request.argv[0]))),
            Ok(Ok(output)) => output,
        };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = complaint(&output);
        if output.status.success() || request.settled.iter().any(|phrase| complaint.contains(phrase)) {
            Ok(said)
        } else {
            Err(failed(complaint))
        }
    }

    /// A program of Grid Engine, ready to run. It is killed when the answer is no longer awaited.
    pub(super) fn command(&self, argv: &[&str]) -> Command {
        let words: Vec<&str> = self.through.iter().map(String::as_str).chain(argv.iter().copied()).collect();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .env_clear()
            .env("PATH", format!("{PROGRAMS}:/usr/sbin:/usr/bin:/sbin:/bin"))
            .env("LANG", "C.UTF-8")
            .envs(self.environment())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// What a program said, on one line: Grid Engine complains on either output.
pub(super) fn complaint(output: &Output) -> String {
    let text = [&output.stderr, &output.stdout].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { format!("it ended with {}", output.status) } else { lines.join("; ") }
}
