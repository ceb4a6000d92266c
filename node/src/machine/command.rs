//! Programs that are run to their end, with a deadline and a log.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use super::{Cause, Family, Key, Place};

/// In the environment of every program of ours: `OWNER:KEY`. By it a program is found whose starter died too early to
/// write down its process id.
pub(super) const MARKER: &str = "LANDBRIDGE_PROCESS";
/// Where programs are looked for; the same on every machine, whatever our own environment.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What a program gets to end, once it was killed.
const ENDING: Duration = Duration::from_secs(2);
/// Of a failed program's output, this much goes into the error.
const TAIL_BYTES: u64 = 2048;
const TAIL_LINES: usize = 10;

/// A program and all that it gets from us.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub argv: Vec<String>,
    pub env: Vec<(String, String)>,
    pub directory: PathBuf,
    pub deadline: Duration,
    pub marker: String,
    pub log: PathBuf,
}

impl Command {
    /// A program of the system, with no environment of its own.
    pub(super) fn system(place: &Place, name: &str, argv: &[&str], deadline: Duration) -> Self {
        Self {
            argv: argv.iter().map(ToString::to_string).collect(),
            env: vec![],
            directory: "/".into(),
            deadline,
            marker: place.marker(&Key::run(name)),
            log: place.log_of(name),
        }
    }

    /// Runs it to its end; success is exit status 0 before the deadline. Past it, its whole process group is ended.
    pub(super) async fn run(&self) -> Result<(), Cause> {
        let log = open_log(&self.log)?;
        let start = log.metadata()?.len();
        let mut child = tokio::process::Command::new(program(&self.argv[0])?)
            .args(&self.argv[1..])
            .env_clear()
            .envs(environment(&self.env, &self.marker))
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let family = Family::of(&child);
        let tail = || tail(&self.log, start);
        if let Ok(status) = tokio::time::timeout(self.deadline, child.wait()).await {
            let status = status?;
            family.let_go();
            return if status.success() { Ok(()) } else { Err(failed(&self.argv[0], status, tail())) };
        }
        drop(family);
        // Who hangs in the kernel ends when the kernel lets go, which may be never: it is reaped whenever that is.
        let _ = tokio::time::timeout(ENDING, child.wait()).await;
        Err(Cause::Deadline { after: self.deadline, tail: tail() })
    }
}

fn failed(program: &str, status: ExitStatus, tail: String) -> Cause {
    Cause::Failed { program: program.into(), status: status.to_string(), tail }
}

/// The clean environment of a program of ours.
pub(super) fn environment<'a>(
    env: &'a [(String, String)],
    marker: &'a str,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let own = env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    [("PATH", PATH), ("LANG", "C.UTF-8")].into_iter().chain(own).chain([(MARKER, marker)])
}

/// The program's file. Asked before anything is started, so that its absence is told in plain words.
pub(super) fn program(name: &str) -> Result<PathBuf, Cause> {
    let runs = |path: &PathBuf| nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok() && path.is_file();
    let found = if name.contains('/') {
        Some(PathBuf::from(name)).filter(runs)
    } else {
        PATH.split(':').map(|directory| Path::new(directory).join(name)).find(runs)
    };
    found.ok_or_else(|| Cause::NoProgram(name.to_owned()))
}

/// Program and arguments on one line, for a person.
pub(super) fn shown(argv: &[String]) -> String {
    let quoted = |argument: &String| {
        let plain = !argument.chars().any(|c| c.is_whitespace() || c.is_control());
        if plain { argument.clone() } else { format!("{argument:?}") }
    };
    argv.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// Opens a log for appending.
pub(super) fn open_log(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o640).open(path)
}

/// The last lines of a log, of those that were written behind `start`.
pub(super) fn tail(log: &Path, start: u64) -> String {
    let read = || -> io::Result<String> {
        let mut file = File::open(log)?;
        let end = file.metadata()?.len();
        file.seek(SeekFrom::Start(start.max(end.saturating_sub(TAIL_BYTES))))?;
        let mut bytes = vec![];
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
