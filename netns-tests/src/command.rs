//! Commands on a machine.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::agent::client::{Answer, NoEvent};
use crate::agent::message::{Bytes, Event, Request, RunIo, RunRequest, TerminalSize};
use crate::error::{LabError, LabResult, io_error};
use crate::machine::Machine;

/// How long a command may take unless its deadline says otherwise.
const PATIENCE: Duration = Duration::from_mins(1);
/// How much of a failed command's output its error shows.
const SHOWN_BYTES: usize = 4000;

/// A command that is still to be run. Nothing happens before [`Command::output`], [`Command::expect_ok`],
/// [`Command::expect_failure`] or [`Command::spawn`].
#[must_use = "a command does nothing before it is run"]
pub struct Command {
    machine: Machine,
    request: RunRequest,
    stdin: Option<Vec<u8>>,
    patience: Duration,
}

/// How a command ended, and what it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The exit status, or 128 + the signal that ended it.
    pub status: i32,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

impl Finished {
    /// Standard output as text.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Both, for an error message: the last few thousand bytes.
    fn shown(&self) -> String {
        let both = format!("{}{}", self.out(), self.err());
        let start = both.len().saturating_sub(SHOWN_BYTES);
        let start = (start..=both.len()).find(|&at| both.is_char_boundary(at)).unwrap_or(0);
        if both.trim().is_empty() { String::new() } else { format!(":\n{}", both[start..].trim_end()) }
    }
}

impl Command {
    pub(crate) fn new(machine: &Machine, argv: Vec<String>) -> Self {
        let request = RunRequest { argv, ..RunRequest::default() };
        Self { machine: machine.clone(), request, stdin: None, patience: PATIENCE }
    }

    /// Gives it input; without, it has none.
    pub fn stdin(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(data.into());
        self.request.io = RunIo::Piped;
        self
    }

    /// Leaves its input open for [`Running::write_stdin`].
    pub fn open_stdin(mut self) -> Self {
        self.request.io = RunIo::Piped;
        self
    }

    /// Runs it on a terminal of this size, its input open.
    pub fn terminal(mut self, size: TerminalSize) -> Self {
        self.request.io = RunIo::Terminal(size);
        self
    }

    pub(crate) fn on_line(mut self) -> Self {
        self.request.io = RunIo::Line;
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.request.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets its working directory; `/root` otherwise.
    pub fn cwd(mut self, directory: impl Into<PathBuf>) -> Self {
        self.request.cwd = Some(directory.into());
        self
    }

    /// How long it may take (60 s otherwise). It is killed after that.
    pub fn deadline(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Runs it to its end, whatever that is.
    ///
    /// # Errors
    /// The program can't be started, the machine is gone, or the deadline passed.
    pub fn output(self) -> LabResult<Finished> {
        let patience = self.patience;
        self.spawn()?.wait(patience)
    }

    /// Runs it and gives its standard output, if it ended well.
    ///
    /// # Errors
    /// As [`Command::output`], and any status but 0.
    pub fn expect_ok(self) -> LabResult<String> {
        let (machine, command) = (self.machine.name().to_owned(), self.line());
        let trouble = self.machine.trouble();
        let finished = self.output()?;
        if finished.status == 0 {
            return Ok(finished.out());
        }
        trouble.note();
        Err(LabError::Command { machine, command, status: finished.status, seen: finished.shown() })
    }

    /// Runs it and gives its end, if it ended badly.
    ///
    /// # Errors
    /// As [`Command::output`], and status 0.
    pub fn expect_failure(self) -> LabResult<Finished> {
        let (machine, command) = (self.machine.name().to_owned(), self.line());
        let finished = self.output()?;
        if finished.status != 0 {
            return Ok(finished);
        }
        Err(LabError::Command { machine, command, status: 0, seen: finished.shown() })
    }

    /// Starts it. It runs on when the handle is dropped.
    ///
    /// # Errors
    /// The machine is gone.
    pub fn spawn(self) -> LabResult<Running> {
        let name = self.line();
        let answer = self.machine.ask(Request::Run(self.request))?;
        let running = Running {
            machine: self.machine,
            name,
            answer,
            output: Finished { status: 0, stdout: vec![], stderr: vec![] },
        };
        if let Some(data) = self.stdin {
            running.write_stdin(data)?;
            running.close_stdin()?;
        }
        Ok(running)
    }

    fn line(&self) -> String {
        match self.request.argv.as_slice() {
            [shell, flag, line] if shell == "/bin/sh" && flag == "-c" => line.clone(),
            argv => argv.join(" "),
        }
    }
}

/// What a running command does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It wrote to its standard output (or terminal).
    Stdout(Vec<u8>),
    /// It wrote to its standard error.
    Stderr(Vec<u8>),
    /// It ended, with this status.
    Exit(i32),
}

/// A command that has been started.
pub struct Running {
    machine: Machine,
    name: String,
    answer: Answer,
    /// What it has written so far.
    output: Finished,
}

impl Running {
    /// Waits for its end; kills it if that doesn't come in time.
    ///
    /// # Errors
    /// The program could not be started, the machine is gone, or the deadline passed.
    pub fn wait(mut self, patience: Duration) -> LabResult<Finished> {
        let until = Instant::now() + patience;
        loop {
            match self.next(Some(until)) {
                Ok(Progress::Exit(status)) => return Ok(Finished { status, ..self.output }),
                Ok(_) => {}
                Err(NextError::Deadline) => {
                    self.signal(nix::libc::SIGKILL)?;
                    return Err(self.late(patience));
                }
                Err(NextError::Other(err)) => return Err(err),
            }
        }
    }

    /// Waits until its output (both kinds) contains the text.
    ///
    /// # Errors
    /// It ended before, the machine is gone, or the deadline passed.
    pub fn wait_for_output(&mut self, text: &str, patience: Duration) -> LabResult<()> {
        let until = Instant::now() + patience;
        while !self.output.out().contains(text) && !self.output.err().contains(text) {
            match self.next(Some(until)) {
                Ok(Progress::Exit(status)) => {
                    let (machine, seen) = (self.machine.name().to_owned(), self.output.shown());
                    return Err(LabError::Command { machine, command: self.name.clone(), status, seen });
                }
                Ok(_) => {}
                Err(NextError::Deadline) => return Err(self.late(patience)),
                Err(NextError::Other(err)) => return Err(err),
            }
        }
        Ok(())
    }

    /// Sends a signal to it and to its process group.
    ///
    /// # Errors
    /// The machine is gone.
    pub fn signal(&self, number: i32) -> LabResult<()> {
        self.add(Request::Signal(number))
    }

    /// Writes to its standard input.
    ///
    /// # Errors
    /// The machine is gone.
    pub fn write_stdin(&self, data: impl Into<Vec<u8>>) -> LabResult<()> {
        self.add(Request::Stdin(Bytes(data.into())))
    }

    /// Ends its standard input.
    ///
    /// # Errors
    /// The machine is gone.
    pub fn close_stdin(&self) -> LabResult<()> {
        self.add(Request::CloseStdin)
    }

    /// Changes the size of its terminal.
    ///
    /// # Errors
    /// The machine is gone.
    pub fn resize(&self, size: TerminalSize) -> LabResult<()> {
        self.add(Request::Resize(size))
    }

    /// The next thing it does, waited for as long as it takes.
    ///
    /// # Errors
    /// The program could not be started, or the machine is gone.
    pub fn next_progress(&mut self) -> LabResult<Progress> {
        self.next(None).map_err(|err| match err {
            NextError::Deadline => self.late(Duration::MAX),
            NextError::Other(err) => err,
        })
    }

    fn next(&mut self, until: Option<Instant>) -> Result<Progress, NextError> {
        match self.answer.next(until) {
            Ok(Event::Stdout(Bytes(data))) => {
                self.output.stdout.extend_from_slice(&data);
                Ok(Progress::Stdout(data))
            }
            Ok(Event::Stderr(Bytes(data))) => {
                self.output.stderr.extend_from_slice(&data);
                Ok(Progress::Stderr(data))
            }
            Ok(Event::Exit(status)) => Ok(Progress::Exit(status)),
            Ok(Event::Failed(message)) => {
                Err(NextError::Other(LabError::Agent { machine: self.machine.name().to_owned(), message }))
            }
            Ok(Event::Hello | Event::Received(_) | Event::Done(_)) => Ok(Progress::Stdout(Vec::new())),
            Err(NoEvent::Deadline) => Err(NextError::Deadline),
            Err(NoEvent::Gone) => {
                Err(NextError::Other(self.machine.gone(&format!("went away during `{}`", self.name))))
            }
        }
    }

    fn add(&self, request: Request) -> LabResult<()> {
        self.answer.request().add(request).map_err(io_error("talking to", self.machine.name()))
    }

    fn late(&self, patience: Duration) -> LabError {
        self.machine.trouble().note();
        let (machine, what) = (self.machine.name().to_owned(), format!("`{}`", self.name));
        LabError::Deadline { machine, what, patience, seen: self.output.shown() }
    }
}

enum NextError {
    Deadline,
    Other(LabError),
}
