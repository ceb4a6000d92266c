//! The conversation with one server process.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use landbridge_pki::NodeName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep, timeout_at};

use super::session::{entries, sessions};
use super::{Command, Decoder, LineTooLong, MalformedStatus, Message, Session, Source};

/// The most lines of one answer: four times what `status 3` needs for the largest `max-clients` that we configure.
const MAX_LINES: usize = 4 * 2 * (1 << 16);

/// How soon we knock again when the socket's backlog is full, for which there is no event.
const KNOCK: Duration = Duration::from_millis(20);

/// A conversation with one server process. Others wait until it is dropped: keep it short.
#[derive(Debug)]
pub struct Management {
    stream: UnixStream,
    decoder: Decoder,
    path: PathBuf,
    deadline: Instant,
}

/// A conversation that went wrong.
#[derive(Debug, thiserror::Error)]
pub enum ManagementError {
    /// Nobody listens.
    #[error("no OpenVPN server listens at {}: is it running?", path.display())]
    NotRunning {
        /// The socket.
        path: PathBuf,
    },
    /// The socket is there, but no greeting came.
    #[error("another program holds the management socket {}: close it and try again", path.display())]
    Busy {
        /// The socket.
        path: PathBuf,
    },
    /// The kernel said no.
    #[error("{operation} at {} failed", path.display())]
    Io {
        /// What was tried.
        operation: String,
        /// The socket.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// No whole answer before the deadline.
    #[error("OpenVPN did not answer {command:?} in time")]
    TimedOut {
        /// What was asked.
        command: String,
    },
    /// OpenVPN said no.
    #[error("OpenVPN refused {command:?}: {said}")]
    Refused {
        /// What was asked.
        command: String,
        /// Its words.
        said: String,
    },
    /// The answer has too many lines.
    #[error("OpenVPN's answer to {command:?} has more than {MAX_LINES} lines")]
    TooManyLines {
        /// What was asked.
        command: String,
    },
    /// The answer has a line that is too long.
    #[error(transparent)]
    LineTooLong(#[from] LineTooLong),
    /// The answer can't be understood.
    #[error(transparent)]
    Malformed(#[from] MalformedStatus),
}

/// What a server process says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerState {
    /// For example `CONNECTED`, which a server says once it serves.
    pub state: String,
    /// For example `OpenVPN 2.6.14 x86_64-pc-linux-gnu …`.
    pub version: String,
    /// Its process id.
    pub pid: u32,
}

impl Management {
    /// Connects and waits for the greeting, behind whoever is there before us. The whole conversation has to end within
    /// `deadline` from now.
    pub async fn connect(path: &Path, deadline: Duration) -> Result<Self, ManagementError> {
        let deadline = Instant::now() + deadline;
        let stream = connect_until(path, deadline).await?;
        let mut this = Self { stream, decoder: Decoder::default(), path: path.to_owned(), deadline };
        match this.greeting().await {
            Ok(()) => Ok(this),
            Err(ManagementError::TimedOut { .. }) => Err(ManagementError::Busy { path: this.path }),
            Err(other) => Err(other),
        }
    }

    async fn greeting(&mut self) -> Result<(), ManagementError> {
        loop {
            match self.message("connecting").await? {
                Message::Notification(notification) if notification.source == Source::Info => return Ok(()),
                _ => {}
            }
        }
    }

    /// Every worker's session with this server process. A worker that was refused has none.
    pub async fn sessions(&mut self) -> Result<Vec<Session>, ManagementError> {
        Ok(sessions(&self.ask(Command::Status).await?)?)
    }

    /// Ends every session of `name` with this server process, handshakes under way too, and returns once they are gone;
    /// says how many there were.
    /// The worker is back within a second unless it is refused too: see [`crate::tunnel::cut()`].
    ///
    /// `kill NAME` ends a session before it is answered; `client-kill` would let it live for five seconds more.
    pub async fn cut(&mut self, name: &NodeName) -> Result<usize, ManagementError> {
        let mut ended = 0;
        loop {
            let left = entries(&self.ask(Command::Status).await?, name)?;
            if left == 0 {
                return Ok(ended);
            }
            match self.ask(Command::Kill(name)).await {
                Ok(_) => ended += left,
                // It went by itself in between.
                Err(ManagementError::Refused { .. }) => {}
                Err(other) => return Err(other),
            }
        }
    }

    /// What the server process says of itself.
    pub async fn state(&mut self) -> Result<ServerState, ManagementError> {
        let state = self.ask(Command::State).await?;
        let version = self.ask(Command::Version).await?;
        let pid = self.ask(Command::Pid).await?;
        let (state, version, pid) = (first(&state), first(&version), first(&pid));
        Ok(ServerState {
            state: state.split(',').nth(1).unwrap_or_default().to_owned(),
            version: version.trim_start_matches("OpenVPN Version: ").to_owned(),
            pid: pid.trim_start_matches("pid=").parse().unwrap_or_default(),
        })
    }

    /// Says `command` and waits for its whole answer: the lines before `END`, or the one line of a `SUCCESS`.
    pub async fn ask(&mut self, command: Command<'_>) -> Result<Vec<String>, ManagementError> {
        let asked = command.to_string();
        self.write(&asked).await?;
        let mut lines = Vec::new();
        loop {
            match self.message(&asked).await? {
                Message::Success(text) if !command.is_answered_in_lines() => return Ok(vec![text]),
                Message::End if command.is_answered_in_lines() => return Ok(lines),
                Message::Error(said) => return Err(ManagementError::Refused { command: asked, said }),
                Message::Line(_) if lines.len() == MAX_LINES => {
                    return Err(ManagementError::TooManyLines { command: asked });
                }
                Message::Line(line) => lines.push(line),
                Message::Success(_) | Message::End | Message::Notification(_) => {}
            }
        }
    }

    async fn write(&mut self, command: &str) -> Result<(), ManagementError> {
        let line = format!("{command}\n");
        match timeout_at(self.deadline, self.stream.write_all(line.as_bytes())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(source)) => Err(self.io(command, source)),
            Err(_) => Err(ManagementError::TimedOut { command: command.to_owned() }),
        }
    }

    async fn message(&mut self, command: &str) -> Result<Message, ManagementError> {
        let mut chunk = [0; 4096];
        loop {
            if let Some(message) = self.decoder.next_message()? {
                return Ok(message);
            }
            match timeout_at(self.deadline, self.stream.read(&mut chunk)).await {
                Ok(Ok(0)) => return Err(self.io(command, io::ErrorKind::UnexpectedEof.into())),
                Ok(Ok(length)) => self.decoder.push(&chunk[..length]),
                Ok(Err(source)) => return Err(self.io(command, source)),
                Err(_) => return Err(ManagementError::TimedOut { command: command.to_owned() }),
            }
        }
    }

    fn io(&self, operation: &str, source: io::Error) -> ManagementError {
        ManagementError::Io { operation: operation.to_owned(), path: self.path.clone(), source }
    }
}

fn first(lines: &[String]) -> &str {
    lines.first().map_or("", String::as_str)
}

/// Connects as soon as the socket's backlog has room.
async fn connect_until(path: &Path, deadline: Instant) -> Result<UnixStream, ManagementError> {
    loop {
        let error = match UnixStream::connect(path).await {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                return Err(ManagementError::NotRunning { path });
            }
            io::ErrorKind::WouldBlock if Instant::now() < deadline => sleep(KNOCK).await,
            io::ErrorKind::WouldBlock => return Err(ManagementError::Busy { path }),
            _ => return Err(ManagementError::Io { operation: "connecting".to_owned(), path, source: error }),
        }
    }
}
