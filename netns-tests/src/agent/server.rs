//! The agent's side of the conversation: takes requests off the line, answers with events.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::message::{Bytes, Envelope, Event, Request, RequestId, RunRequest, TerminalSize, receive, send};
use super::process::{self, Process};
use super::reaper::Reaper;
use super::wait;

/// Serves requests until the line closes, which for a namespace machine means that the lab is gone.
pub(crate) fn serve(line: &File) -> io::Result<()> {
    let agent = Agent::start(line)?;
    agent.serve(line.try_clone()?)
}

/// Serves requests on a serial line, and tells the lab how much of what it sent has been read (see
/// [`super::client::Pace`]).
pub(crate) fn serve_paced(line: &File) -> io::Result<()> {
    let agent = Agent::start(line)?;
    agent.serve(Acknowledging { line: line.try_clone()?, agent: agent.clone() })
}

/// A line whose every read is reported.
struct Acknowledging {
    line: File,
    agent: Agent,
}

impl Read for Acknowledging {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.line.read(buffer)?;
        self.agent.answer(0, Event::Received(count));
        Ok(count)
    }
}

/// What is needed to reach a running program.
struct Running {
    pid: i32,
    /// Bytes for its input; none closes it. Absent if it takes none.
    stdin: Option<Sender<Option<Vec<u8>>>>,
    terminal: Option<File>,
}

#[derive(Clone)]
struct Agent {
    line: Arc<Mutex<File>>,
    reaper: Reaper,
    running: Arc<Mutex<HashMap<RequestId, Running>>>,
}

impl Agent {
    fn start(line: &File) -> io::Result<Self> {
        Ok(Self { line: Arc::new(Mutex::new(line.try_clone()?)), reaper: Reaper::start(), running: Arc::default() })
    }

    fn serve(&self, from: impl Read) -> io::Result<()> {
        self.answer(0, Event::Hello);
        let mut requests = BufReader::new(from);
        while let Some(Envelope { id, body }) = receive(&mut requests)? {
            self.take(id, body);
        }
        Ok(())
    }

    /// Takes one request. Nothing here blocks: what takes time gets a thread.
    fn take(&self, id: RequestId, request: Request) {
        match request {
            Request::Run(run) => self.run(id, &run),
            Request::Stdin(Bytes(data)) => self.input(id, Some(data)),
            Request::CloseStdin => self.input(id, None),
            Request::Signal(number) => self.signal(id, number),
            Request::Resize(size) => self.resize(id, size),
            Request::KillAll => self.conclude(id, kill_all()),
            Request::Configure(network) => self.later(id, move || network.apply()),
            Request::WriteFile { path, mode, data } => self.conclude(id, write_file(&path, mode, &data.0)),
            Request::ReadFile(path) => self.conclude(id, read_file(&path)),
            Request::WaitForPath(path, patience) => {
                self.later(id, move || wait::for_path(&path, patience).map(|()| Vec::new()));
            }
            Request::WaitForTcp(address, patience) => {
                self.later(id, move || wait::for_tcp(address, patience).map(|()| Vec::new()));
            }
        }
    }

    fn answer(&self, id: RequestId, body: Event) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        // If the lab is gone there is nobody to tell; the read side ends the agent.
        let _ = send(&mut *line, &Envelope { id, body });
    }

    fn conclude(&self, id: RequestId, result: Result<Vec<u8>, String>) {
        self.answer(id, result.map_or_else(Event::Failed, |bytes| Event::Done(Bytes(bytes))));
    }

    fn later(&self, id: RequestId, work: impl FnOnce() -> Result<Vec<u8>, String> + Send + 'static) {
        let agent = self.clone();
        std::thread::spawn(move || agent.conclude(id, work()));
    }

    fn run(&self, id: RequestId, request: &RunRequest) {
        let mut process = match process::start(&self.reaper, request) {
            Ok(process) => process,
            Err(err) => return self.answer(id, Event::Failed(format!("starting {:?}: {err}", request.argv))),
        };
        self.lock_running().insert(id, Running::of(&mut process));
        let agent = self.clone();
        std::thread::spawn(move || {
            process.follow(|event| {
                if event.is_last() {
                    agent.lock_running().remove(&id);
                }
                agent.answer(id, event);
            });
        });
    }

    fn input(&self, id: RequestId, data: Option<Vec<u8>>) {
        if let Some(stdin) = self.lock_running().get(&id).and_then(|running| running.stdin.as_ref()) {
            // A program that has closed its input loses the rest, as in a pipe.
            let _ = stdin.send(data);
        }
    }

    fn signal(&self, id: RequestId, number: i32) {
        if let (Some(running), Ok(signal)) = (self.lock_running().get(&id), Signal::try_from(number)) {
            // Gone in this moment: nothing to signal, and its exit is on the way.
            let _ = kill(Pid::from_raw(-running.pid), signal);
        }
    }

    fn resize(&self, id: RequestId, size: TerminalSize) {
        if let Some(terminal) = self.lock_running().get(&id).and_then(|running| running.terminal.as_ref()) {
            let size = rustix::termios::Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
            let _ = rustix::termios::tcsetwinsize(terminal, size);
        }
    }

    fn lock_running(&self) -> std::sync::MutexGuard<'_, HashMap<RequestId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Takes the program's input over: the writing thread must hold the only copy, whose end closes it.
    fn of(process: &mut Process) -> Self {
        Self { pid: process.pid, stdin: process.stdin.take().map(write_in_order), terminal: process.terminal.take() }
    }
}

/// A thread that writes what it gets, in order: a program that doesn't read must not stop the agent.
fn write_in_order(mut stdin: File) -> Sender<Option<Vec<u8>>> {
    let (sender, receiver) = channel::<Option<Vec<u8>>>();
    std::thread::spawn(move || {
        while let Ok(Some(data)) = receiver.recv() {
            if stdin.write_all(&data).is_err() {
                return;
            }
        }
    });
    sender
}

fn kill_all() -> Result<Vec<u8>, String> {
    match kill(Pid::from_raw(-1), Signal::SIGKILL) {
        Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(Vec::new()),
        Err(err) => Err(format!("killing every process: {err}")),
    }
}

fn write_file(path: &Path, mode: u32, data: &[u8]) -> Result<Vec<u8>, String> {
    let write = || {
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(data)
    };
    write().map(|()| Vec::new()).map_err(|err: io::Error| format!("writing {}: {err}", path.display()))
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|err| format!("reading {}: {err}", path.display()))
}
