//! Machines: what both kinds have in common, and how one of namespaces is made.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::agent::client::{AgentClient, NoEvent, Pace};
use crate::agent::message::{Bytes, Event, Request};
use crate::command::Command;
use crate::console::Console;
use crate::error::{LabError, LabResult, io_error};
use crate::init::InitConfig;
use crate::net::netns::Netns;
use crate::report::Trouble;
use crate::spawn::ends_within;

/// How long a machine's agent may take for what is done at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running machine. Clones are the same machine. It lives until the lab ends or [`Machine::stop`].
#[derive(Clone)]
pub struct Machine {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    agent: AgentClient,
    console: Console,
    netns: Netns,
    trouble: Trouble,
    /// The process that started the machine's first one and ends with it; absent for a guest, which is its holder's.
    process: Mutex<Option<Child>>,
}

impl Machine {
    /// Starts the first process of a machine and waits for its agent. `line` becomes its standard output.
    pub(crate) fn launch(name: &str, program: &Path, config: &InitConfig, line: Stdio) -> LabResult<Self> {
        let failed = |err| io_error("starting machine", name)(err);
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        let mut command = std::process::Command::new(program);
        let config_text = serde_json::to_string(config).map_err(|err| LabError::Plan { message: err.to_string() })?;
        command.args(["enter", &config_text]).stdin(OwnedFd::from(theirs)).stdout(line).stderr(Stdio::piped());
        let mut child = crate::spawn::spawn_for_life(command).map_err(failed)?;
        let console = Console::default();
        if let Some(stderr) = child.stderr.take() {
            console.record(stderr);
        }
        let agent = AgentClient::start(ours, Pace::Free).map_err(failed)?;
        if !agent.wait_for_hello(Instant::now() + PATIENCE) {
            // Its last words are on the console once it is gone.
            let _ = (child.kill(), child.wait());
            let what = "did not start".to_owned();
            return Err(LabError::Machine { machine: name.to_owned(), what, console: console.tail(40) });
        }
        let netns = Netns::of_process(child.id()).map_err(failed)?;
        let process = Mutex::new(Some(child));
        Ok(Self {
            inner: Arc::new(Inner {
                name: name.to_owned(),
                agent,
                console,
                netns,
                trouble: Trouble::default(),
                process,
            }),
        })
    }

    /// A machine that another process runs: a guest.
    pub(crate) fn guest(name: &str, agent: AgentClient, console: Console, netns: Netns) -> Self {
        Self {
            inner: Arc::new(Inner {
                name: name.to_owned(),
                agent,
                console,
                netns,
                trouble: Trouble::default(),
                process: Mutex::new(None),
            }),
        }
    }

    /// Its name, which is its host name too.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// A command line for sh.
    pub fn run(&self, line: &str) -> Command {
        self.run_argv(["/bin/sh", "-c", line])
    }

    /// A program and its arguments, as they are.
    pub fn run_argv<S: Into<String>>(&self, argv: impl IntoIterator<Item = S>) -> Command {
        Command::new(self, argv.into_iter().map(Into::into).collect())
    }

    /// Writes a file (0644), with its directories.
    ///
    /// # Errors
    /// The machine's own words.
    pub fn write_file(&self, path: impl Into<PathBuf>, content: impl Into<Vec<u8>>) -> LabResult<()> {
        self.write_file_with_mode(path, content, 0o644)
    }

    /// Writes a file with these permissions, with its directories.
    ///
    /// # Errors
    /// The machine's own words.
    pub fn write_file_with_mode(
        &self,
        path: impl Into<PathBuf>,
        content: impl Into<Vec<u8>>,
        mode: u32,
    ) -> LabResult<()> {
        let data = Bytes(content.into());
        self.request(Request::WriteFile { path: path.into(), mode, data }, PATIENCE).map(drop)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// The machine's own words.
    pub fn read_file(&self, path: impl Into<PathBuf>) -> LabResult<Vec<u8>> {
        self.request(Request::ReadFile(path.into()), PATIENCE)
    }

    /// Reads a file as text.
    ///
    /// # Errors
    /// The machine's own words.
    pub fn read_text(&self, path: impl Into<PathBuf>) -> LabResult<String> {
        self.read_file(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Waits until the path exists.
    ///
    /// # Errors
    /// It didn't appear in time.
    pub fn wait_for_path(&self, path: impl Into<PathBuf>, patience: Duration) -> LabResult<()> {
        self.request(Request::WaitForPath(path.into(), patience), patience + PATIENCE).map(drop)
    }

    /// Waits until a TCP connection from this machine to the address is accepted.
    ///
    /// # Errors
    /// Nobody accepted in time.
    pub fn wait_for_tcp(&self, address: SocketAddr, patience: Duration) -> LabResult<()> {
        self.request(Request::WaitForTcp(address, patience), patience + PATIENCE).map(drop)
    }

    /// Repeats the command line until it succeeds, and gives its output. For what has no event to wait for.
    ///
    /// # Errors
    /// It never did in time; the error shows the last try.
    pub fn wait_until(&self, line: &str, patience: Duration) -> LabResult<String> {
        const PAUSE: Duration = Duration::from_millis(50);
        let until = Instant::now() + patience;
        loop {
            let left = until.saturating_duration_since(Instant::now()).max(PAUSE);
            match self.run(line).deadline(left).expect_ok() {
                Err(LabError::Command { seen, .. }) if Instant::now() >= until => {
                    let (machine, what) = (self.name().to_owned(), format!("`{line}` to succeed"));
                    return Err(LabError::Deadline { machine, what, patience, seen });
                }
                Err(LabError::Command { .. }) => std::thread::sleep(PAUSE),
                other => return other,
            }
        }
    }

    /// Kills every process of the machine but its agent, as a sudden end of all daemons. Network and files stay.
    ///
    /// # Errors
    /// The machine is gone.
    pub fn kill_processes(&self) -> LabResult<()> {
        self.request(Request::KillAll, PATIENCE).map(drop)
    }

    /// Ends the machine with all that is in it. Twice is once.
    pub fn stop(&self) {
        self.inner.agent.close();
        if let Some(mut child) = self.inner.process.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Its end was asked for by closing the line: the starting process waits for the whole machine and then ends.
            // A machine that doesn't hear is killed.
            if !ends_within(child.id(), PATIENCE) {
                let _ = child.kill();
            }
            let _ = child.wait();
        }
    }

    /// The end of its console: what its kernel and its first process said.
    pub fn console(&self) -> String {
        self.inner.console.tail(80)
    }

    /// Its network namespace; for a guest, the one that its network cards are plugged into.
    pub(crate) fn netns(&self) -> &Netns {
        &self.inner.netns
    }

    pub(crate) fn console_recorder(&self) -> Console {
        self.inner.console.clone()
    }

    pub(crate) fn agent(&self) -> &AgentClient {
        &self.inner.agent
    }

    pub(crate) fn ask(&self, request: Request) -> LabResult<crate::agent::client::Answer> {
        self.agent().ask(request).map_err(|_| self.gone("is gone"))
    }

    /// Asks and waits for the one answer.
    pub(crate) fn request(&self, request: Request, patience: Duration) -> LabResult<Vec<u8>> {
        let machine = self.name().to_owned();
        let answer = self.ask(request)?;
        match answer.next(Some(Instant::now() + patience)) {
            Ok(Event::Done(Bytes(bytes))) => Ok(bytes),
            Ok(Event::Failed(message)) => Err(LabError::Agent { machine, message }),
            Ok(other) => Err(LabError::Agent { machine, message: format!("an unexpected answer: {other:?}") }),
            Err(NoEvent::Deadline) => Err(LabError::Deadline {
                machine,
                what: "the agent's answer".to_owned(),
                patience,
                seen: String::new(),
            }),
            Err(NoEvent::Gone) => Err(self.gone("went away")),
        }
    }

    /// Whether something went wrong on it.
    pub(crate) fn trouble(&self) -> Trouble {
        self.inner.trouble.clone()
    }

    pub(crate) fn gone(&self, what: &str) -> LabError {
        self.inner.trouble.note();
        LabError::Machine {
            machine: self.name().to_owned(),
            what: what.to_owned(),
            console: self.inner.console.tail(40),
        }
    }
}
