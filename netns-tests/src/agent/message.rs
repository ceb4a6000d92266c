//! What the lab and a machine's agent say to each other: one JSON object a line, bytes in base64.
//!
//! The same words travel over a socket pair (namespace machines) and over a serial line (user-mode-linux machines), so
//! nothing here may depend on more than an ordered stream of lines.

use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::net::config::NetworkConfig;

/// Names one request; the events that answer it carry the same number.
pub(crate) type RequestId = u64;

/// What the lab asks of a machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Request {
    /// Start a program.
    Run(RunRequest),
    /// Bytes for a running program's standard input.
    Stdin(Bytes),
    /// End of a running program's standard input.
    CloseStdin,
    /// Send a signal to a running program and all of its process group.
    Signal(i32),
    /// Its terminal has a new size.
    Resize(TerminalSize),
    /// Kill every process of the machine but its first.
    KillAll,
    /// Set up addresses and routes.
    Configure(NetworkConfig),
    /// Write a file, with its parent directories.
    WriteFile {
        /// Where.
        path: PathBuf,
        /// Permission bits.
        mode: u32,
        /// The content.
        data: Bytes,
    },
    /// Read a file.
    ReadFile(PathBuf),
    /// Answer once the path exists.
    WaitForPath(PathBuf, Duration),
    /// Answer once a TCP connection to the address succeeds.
    WaitForTcp(std::net::SocketAddr, Duration),
}

/// A program to start.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RunRequest {
    /// The program and its arguments.
    pub(crate) argv: Vec<String>,
    /// Environment beyond the machine's own.
    pub(crate) env: Vec<(String, String)>,
    /// Working directory; `/root` if none.
    pub(crate) cwd: Option<PathBuf>,
    /// Where its input and output go.
    pub(crate) io: RunIo,
}

/// Where a program's input and output go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RunIo {
    /// No input; output comes back as events.
    #[default]
    Output,
    /// Input by [`Request::Stdin`]; output comes back as events.
    Piped,
    /// A terminal of this size; input and output as with `Piped`.
    Terminal(TerminalSize),
    /// Input and output are the agent's own standard output (a line to the lab), errors its standard error (the console).
    Line,
}

/// Rows and columns of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalSize {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
}

/// What a machine answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Event {
    /// The agent is up and takes requests.
    Hello,
    /// So many bytes more of the lab's have been read off the line.
    Received(usize),
    /// A program wrote to its standard output (or terminal).
    Stdout(Bytes),
    /// A program wrote to its standard error.
    Stderr(Bytes),
    /// A program ended: its status, or 128 + the signal that ended it.
    Exit(i32),
    /// The request is done; bytes if it asked for some.
    Done(Bytes),
    /// The request failed; why.
    Failed(String),
}

impl Event {
    /// True if nothing more will follow for the same request.
    pub(crate) fn is_last(&self) -> bool {
        matches!(self, Self::Exit(_) | Self::Done(_) | Self::Failed(_))
    }
}

/// A message with the request that it belongs to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Envelope<T> {
    /// The request.
    pub(crate) id: RequestId,
    /// The message.
    pub(crate) body: T,
}

/// Bytes, in base64 on the line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// One message as a line.
pub(crate) fn encode<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}

/// Writes one message as a line.
pub(crate) fn send<T: Serialize>(to: &mut impl Write, message: &T) -> io::Result<()> {
    to.write_all(&encode(message)?)?;
    to.flush()
}

/// Reads the next message; none at the end of the stream. A line which is no message is skipped: after a machine's crash
/// the first line may be the rest of one that the crash cut.
pub(crate) fn receive<T: DeserializeOwned>(from: &mut impl BufRead) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if from.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if let Ok(message) = serde_json::from_slice(&line) {
            return Ok(Some(message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_survives_the_line_and_a_torn_line_before_it_is_skipped() {
        let mut line = b"aGVsbG8=\"}}\n".to_vec();
        send(&mut line, &Envelope { id: 7, body: Event::Stdout(Bytes(b"two\nlines\0".to_vec())) })
            .expect("a Vec takes all");
        let got: Envelope<Event> = receive(&mut line.as_slice()).expect("a slice is readable").expect("one message");
        assert_eq!(got.id, 7);
        assert!(matches!(got.body, Event::Stdout(Bytes(bytes)) if bytes == b"two\nlines\0"));
    }
}
