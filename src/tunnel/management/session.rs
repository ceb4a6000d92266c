//! The answer to `status 3`.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use jiff::Timestamp;
use landbridge_pki::NodeName;

/// A worker's session with one server process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The worker, by its certificate.
    pub name: NodeName,
    /// The session's number, never used twice while the server runs.
    pub cid: u64,
    /// Where its packets come from.
    pub real_address: SocketAddr,
    /// Its address on the vLAN, once it was told.
    pub virtual_address: Option<Ipv4Addr>,
    /// When it began.
    pub since: Timestamp,
    /// Bytes from the worker, encapsulation included.
    pub received: u64,
    /// Bytes to the worker, encapsulation included.
    pub sent: u64,
}

/// An answer to `status 3` that we don't understand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the status has no usable {column:?} in {line:?}: is this OpenVPN 2.6?")]
pub struct MalformedStatus {
    /// Which column.
    pub column: &'static str,
    /// The line as it came.
    pub line: String,
}

/// Reads every session. Columns are found by their names in the header. Handshakes that have not got as far as a
/// certificate (`UNDEF`) are no sessions yet.
pub(super) fn sessions(lines: &[String]) -> Result<Vec<Session>, MalformedStatus> {
    let mut columns = HashMap::new();
    let mut sessions = Vec::new();
    for line in lines {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields.as_slice() {
            ["HEADER", "CLIENT_LIST", names @ ..] => {
                columns = names.iter().enumerate().map(|(at, &name)| (name, at + 1)).collect();
            }
            ["CLIENT_LIST", "UNDEF", ..] => {}
            ["CLIENT_LIST", ..] => sessions.push(session(&Row { columns: &columns, fields: &fields, line })?),
            _ => {}
        }
    }
    Ok(sessions)
}

struct Row<'a> {
    columns: &'a HashMap<&'a str, usize>,
    fields: &'a [&'a str],
    line: &'a str,
}

impl Row<'_> {
    fn text(&self, column: &'static str) -> Result<&str, MalformedStatus> {
        let field = self.columns.get(column).and_then(|&at| self.fields.get(at));
        field.copied().ok_or_else(|| self.malformed(column))
    }

    fn read<T: FromStr>(&self, column: &'static str) -> Result<T, MalformedStatus> {
        self.text(column)?.parse().map_err(|_| self.malformed(column))
    }

    fn malformed(&self, column: &'static str) -> MalformedStatus {
        MalformedStatus { column, line: self.line.to_owned() }
    }
}

fn session(row: &Row<'_>) -> Result<Session, MalformedStatus> {
    let since = "Connected Since (time_t)";
    Ok(Session {
        name: row.read("Common Name")?,
        cid: row.read("Client ID")?,
        real_address: row.read("Real Address")?,
        virtual_address: match row.text("Virtual Address")? {
            "" => None,
            _ => Some(row.read("Virtual Address")?),
        },
        since: Timestamp::from_second(row.read(since)?).map_err(|_| row.malformed(since))?,
        received: row.read("Bytes Received")?,
        sent: row.read("Bytes Sent")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first answer to `status 3` in the recording.
    fn recorded() -> Vec<String> {
        let text = include_str!("testdata/answers.txt");
        let lines = text.lines().map(str::trim_end).skip_while(|line| !line.starts_with("TITLE"));
        lines.take_while(|line| *line != "END").map(str::to_owned).collect()
    }

    #[test]
    fn the_sessions_of_a_real_server_are_read() {
        insta::assert_debug_snapshot!("sessions", sessions(&recorded()).expect("sessions"));
    }

    #[test]
    fn an_unfinished_handshake_is_no_session() {
        let mut lines = recorded();
        for line in &mut lines {
            *line = line.replace("CLIENT_LIST\tw2", "CLIENT_LIST\tUNDEF");
        }
        assert_eq!(sessions(&lines).expect("sessions").len(), 1);
    }

    #[test]
    fn a_server_without_sessions_has_none() {
        let lines: Vec<_> = recorded().into_iter().filter(|line| !line.starts_with("CLIENT_LIST")).collect();
        assert_eq!(sessions(&lines), Ok(Vec::new()));
    }

    #[test]
    fn a_missing_column_is_named() {
        let lines: Vec<_> = recorded().iter().map(|line| line.replace("\tClient ID", "\tWhatever")).collect();
        assert_eq!(sessions(&lines).expect_err("no column").column, "Client ID");
        let lines = vec!["CLIENT_LIST\tw1".to_owned()];
        assert_eq!(sessions(&lines).expect_err("no header").column, "Common Name");
    }
}
