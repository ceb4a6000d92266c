//! A program that the agent runs: its input, output, terminal and end.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, openpty};
use nix::sys::socket::{MsgFlags, recv};

use super::message::{Bytes, Event, RunIo, RunRequest, TerminalSize};
use super::reaper::{ExitReceiver, Reaper};

/// Environment of every program in a machine.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/landbridge/bin"),
    ("HOME", "/root"),
    ("LANG", "C.UTF-8"),
    ("USER", "root"),
];

/// A started program.
pub(super) struct Process {
    /// Its process id, and its process group's.
    pub(super) pid: i32,
    /// Where its input goes, if it takes any.
    pub(super) stdin: Option<File>,
    /// Its terminal, if it has one.
    pub(super) terminal: Option<File>,
    outputs: Vec<Output>,
    exit: ExitReceiver,
}

struct Output {
    from: File,
    event: fn(Bytes) -> Event,
}

/// Starts a program.
pub(super) fn start(reaper: &Reaper, request: &RunRequest) -> io::Result<Process> {
    let (mut command, mut ends) = match request.io {
        RunIo::Terminal(size) => on_terminal(request, size)?,
        RunIo::Line => on_line(request)?,
        RunIo::Output | RunIo::Piped => on_pipes(request)?,
    };
    command.env_clear().envs(ENVIRONMENT).envs(request.env.iter().cloned());
    command.current_dir(request.cwd.as_deref().unwrap_or("/root".as_ref()));
    let (mut child, exit) = reaper.spawn(&mut command)?;
    // The command holds this side's copies of the program's ends: without them gone, no end of output would ever come.
    drop(command);
    if let Some(stdout) = child.stdout.take() {
        ends.outputs.push(Output { from: OwnedFd::from(stdout).into(), event: Event::Stdout });
    }
    if let Some(stderr) = child.stderr.take() {
        ends.outputs.push(Output { from: OwnedFd::from(stderr).into(), event: Event::Stderr });
    }
    let stdin = ends.stdin.or_else(|| child.stdin.take().map(|stdin| OwnedFd::from(stdin).into()));
    Ok(Process { pid: child.id().cast_signed(), stdin, terminal: ends.terminal, outputs: ends.outputs, exit })
}

#[derive(Default)]
struct Ends {
    stdin: Option<File>,
    terminal: Option<File>,
    outputs: Vec<Output>,
}

fn on_pipes(request: &RunRequest) -> io::Result<(Command, Ends)> {
    let mut command = command_of(&request.argv)?;
    let stdin = if request.io == RunIo::Piped { Stdio::piped() } else { Stdio::null() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    Ok((command, Ends::default()))
}

fn on_line(request: &RunRequest) -> io::Result<(Command, Ends)> {
    let mut command = command_of(&request.argv)?;
    let line = io::stdout().as_fd().try_clone_to_owned()?;
    forget_unread(&line);
    let console = io::stderr().as_fd().try_clone_to_owned()?;
    command.stdin(line).stdout(console.try_clone()?).stderr(console).process_group(0);
    Ok((command, Ends::default()))
}

/// Drops what the lab has sent to a machine that crashed before it read it: the next one must not take it for its own.
fn forget_unread(line: &OwnedFd) {
    let mut buffer = [0; 4096];
    while recv(line.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT).is_ok_and(|count| count > 0) {}
}

fn on_terminal(request: &RunRequest, size: TerminalSize) -> io::Result<(Command, Ends)> {
    let size = Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
    let pty = openpty(&size, None)?;
    // setsid(1) makes the terminal the controlling one, which std can't; it then becomes the program, with the same id.
    let mut argv = vec!["setsid".to_owned(), "--ctty".to_owned()];
    argv.extend(request.argv.iter().cloned());
    let mut command = command_of(&argv)?;
    command.stdin(pty.slave.try_clone()?).stdout(pty.slave.try_clone()?).stderr(pty.slave);
    let output = Output { from: pty.master.try_clone()?.into(), event: Event::Stdout };
    let terminal = Some(pty.master.try_clone()?.into());
    Ok((command, Ends { stdin: Some(pty.master.into()), terminal, outputs: vec![output] }))
}

fn command_of(argv: &[String]) -> io::Result<Command> {
    let (program, arguments) = argv.split_first().ok_or_else(|| io::Error::other("no program was named"))?;
    let mut command = Command::new(program);
    command.args(arguments);
    Ok(command)
}

impl Process {
    /// Sends the program's output until it ends, then its exit. What a daemon that it left behind still writes is read
    /// and dropped, so that the daemon does not die of a closed pipe.
    pub(super) fn follow(mut self, mut send: impl FnMut(Event)) {
        let mut ended = false;
        let mut buffer = vec![0; 32 * 1024];
        while !self.outputs.is_empty() || !ended {
            let (readable, exited) = self.poll(ended);
            // Everything written before the end has been read when a poll after the end finds nothing to read.
            if exited && !readable.contains(&true) {
                send(Event::Exit(self.exit.wait()));
                ended = true;
            }
            let mut readable = readable.into_iter();
            self.outputs.retain_mut(|output| {
                readable.next() != Some(true)
                    || forward(output, &mut buffer, |event| {
                        if !ended {
                            send(event);
                        }
                    })
            });
        }
    }

    /// Waits until something happens: which outputs can be read, and whether the program has ended.
    fn poll(&self, ended: bool) -> (Vec<bool>, bool) {
        let mut fds: Vec<_> =
            self.outputs.iter().map(|output| PollFd::new(output.from.as_fd(), PollFlags::POLLIN)).collect();
        if !ended {
            fds.push(PollFd::new(self.exit.closed.as_fd(), PollFlags::POLLIN));
        }
        while poll(&mut fds, PollTimeout::NONE) == Err(nix::errno::Errno::EINTR) {}
        let mut ready: Vec<_> = fds.iter().map(|fd| fd.revents().is_some_and(|events| !events.is_empty())).collect();
        let exited = !ended && ready.pop() == Some(true);
        (ready, exited)
    }
}

/// Reads once and sends it; false at the end of the stream (a terminal's end is the error EIO).
fn forward(output: &mut Output, buffer: &mut [u8], mut send: impl FnMut(Event)) -> bool {
    match output.from.read(buffer) {
        Ok(0) | Err(_) => false,
        Ok(count) => {
            send((output.event)(Bytes(buffer[..count].to_vec())));
            true
        }
    }
}
