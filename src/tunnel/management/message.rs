//! What is said: commands to openvpn, and its lines.

use std::fmt;

use landbridge_pki::NodeName;

/// A command. A name can't hold a blank, a quote or a newline, so no command can be smuggled into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// The server's process id.
    Pid,
    /// Versions of the program and of the interface.
    Version,
    /// What the server is doing.
    State,
    /// Every session, tab-separated.
    Status,
    /// Ends every session of a worker at once. Nothing is said to the worker: its packets are dropped from now on.
    Kill(&'a NodeName),
    /// Tells one session's client to reconnect, and ends it after *five seconds* (OpenVPN's scheduled exit) if the client
    /// doesn't. Not a way to cut anybody off.
    ClientKill(u64),
    /// Lets a server that was started on hold begin.
    HoldRelease,
}

impl Command<'_> {
    /// Whether the answer is lines up to `END` (or `ERROR`) rather than a single `SUCCESS` or `ERROR`.
    pub fn is_answered_in_lines(&self) -> bool {
        matches!(self, Self::Version | Self::State | Self::Status)
    }
}

impl fmt::Display for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pid => f.write_str("pid"),
            Self::Version => f.write_str("version"),
            Self::State => f.write_str("state"),
            Self::Status => f.write_str("status 3"),
            Self::Kill(name) => write!(f, "kill {name}"),
            Self::ClientKill(cid) => write!(f, "client-kill {cid}"),
            Self::HoldRelease => f.write_str("hold release"),
        }
    }
}

/// A line from openvpn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// `SUCCESS: …`.
    Success(String),
    /// `ERROR: …`.
    Error(String),
    /// A line of an answer in lines.
    Line(String),
    /// The end of such an answer.
    End,
    /// Something that nobody asked for.
    Notification(Notification),
}

/// `>SOURCE:TEXT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// What it is about.
    pub source: Source,
    /// The rest of the line.
    pub text: String,
}

/// What a notification is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The greeting.
    Info,
    /// A line of the log: `TIME,FLAGS,TEXT`.
    Log,
    /// The server waits for `hold release`.
    Hold,
    /// A session: `CONNECT,CID,KID`, `ESTABLISHED,CID`, `DISCONNECT,CID`, `ENV,NAME=VALUE`. Only with
    /// `management-client-auth`, which we don't use.
    Client,
    /// The server's state: `TIME,STATE,…`.
    State,
    /// The server is about to end.
    Fatal,
    /// Anything else.
    Other(String),
}

impl Message {
    /// Reads a line, without its end.
    pub fn parse(line: &str) -> Self {
        if let Some(text) = line.strip_prefix("SUCCESS: ") {
            Self::Success(text.to_owned())
        } else if let Some(text) = line.strip_prefix("ERROR: ") {
            Self::Error(text.to_owned())
        } else if let Some((source, text)) = line.strip_prefix('>').and_then(|rest| rest.split_once(':')) {
            Self::Notification(Notification { source: Source::parse(source), text: text.to_owned() })
        } else if line == "END" {
            Self::End
        } else {
            Self::Line(line.to_owned())
        }
    }
}

impl Source {
    fn parse(word: &str) -> Self {
        match word {
            "INFO" => Self::Info,
            "LOG" => Self::Log,
            "HOLD" => Self::Hold,
            "CLIENT" => Self::Client,
            "STATE" => Self::State,
            "FATAL" => Self::Fatal,
            other => Self::Other(other.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_written_as_openvpn_reads_them() {
        let name = NodeName::new("w1").expect("a name");
        let all = [
            Command::Pid,
            Command::Version,
            Command::State,
            Command::Status,
            Command::Kill(&name),
            Command::ClientKill(7),
            Command::HoldRelease,
        ];
        insta::assert_snapshot!(all.map(|c| c.to_string()).join("\n"), @r"
        pid
        version
        state
        status 3
        kill w1
        client-kill 7
        hold release
        ");
    }

    #[test]
    fn a_line_that_only_looks_like_a_notification_is_a_line() {
        assert_eq!(Message::parse(">no colon"), Message::Line(">no colon".into()));
        assert_eq!(Message::parse("ENDING"), Message::Line("ENDING".into()));
    }
}
