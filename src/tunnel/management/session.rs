//! The answer to `status 3`.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::str::FromStr;

use jiff::Timestamp;
use landbridge_pki::NodeName;

/// A worker's session with one server process: admitted, and told its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The worker, by its certificate.
    pub name: NodeName,
    /// The session's number, never used twice while the server runs.
    pub cid: u64,
    /// Where its packets come from.
    pub real_address: SocketAddr,
    /// Its address on the vLAN.
    pub virtual_address: Ipv4Addr,
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

/// Reads every session.
///
/// OpenVPN lists more than that: a handshake under way has no name (`UNDEF`), and one that was refused keeps its worker's
/// name for five seconds more, but neither was ever told an address.
pub(super) fn sessions(lines: &[String]) -> Result<Vec<Session>, MalformedStatus> {
    let mut sessions = Vec::new();
    for row in rows(lines) {
        if !row.text(VIRTUAL)?.is_empty() {
            sessions.push(session(&row)?);
        }
    }
    Ok(sessions)
}

/// How many entries of any kind a worker has: sessions, and handshakes that have got as far as its certificate.
pub(super) fn entries(lines: &[String], name: &NodeName) -> Result<usize, MalformedStatus> {
    let mut entries = 0;
    for row in rows(lines) {
        entries += usize::from(row.text(NAME)? == name.as_str());
    }
    Ok(entries)
}

const NAME: &str = "Common Name";
const VIRTUAL: &str = "Virtual Address";
const SINCE: &str = "Connected Since (time_t)";

/// The list of clients. Columns are found by their names in the header.
fn rows(lines: &[String]) -> impl Iterator<Item = Row<'_>> {
    let mut columns = Rc::new(HashMap::new());
    lines.iter().filter_map(move |line| {
        let mut fields = line.split('\t');
        match (fields.next(), fields.next()) {
            (Some("HEADER"), Some("CLIENT_LIST")) => {
                columns = Rc::new(fields.enumerate().map(|(at, name)| (name, at + 1)).collect());
                None
            }
            (Some("CLIENT_LIST"), _) => Some(Row { columns: Rc::clone(&columns), line }),
            _ => None,
        }
    })
}

struct Row<'a> {
    columns: Rc<HashMap<&'a str, usize>>,
    line: &'a str,
}

impl Row<'_> {
    fn text(&self, column: &'static str) -> Result<&str, MalformedStatus> {
        let field = self.columns.get(column).and_then(|&at| self.line.split('\t').nth(at));
        field.ok_or_else(|| self.malformed(column))
    }

    fn read<T: FromStr>(&self, column: &'static str) -> Result<T, MalformedStatus> {
        self.text(column)?.parse().map_err(|_| self.malformed(column))
    }

    fn malformed(&self, column: &'static str) -> MalformedStatus {
        MalformedStatus { column, line: self.line.to_owned() }
    }
}

fn session(row: &Row<'_>) -> Result<Session, MalformedStatus> {
    Ok(Session {
        name: row.read(NAME)?,
        cid: row.read("Client ID")?,
        real_address: row.read("Real Address")?,
        virtual_address: row.read(VIRTUAL)?,
        since: Timestamp::from_second(row.read(SINCE)?).map_err(|_| row.malformed(SINCE))?,
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
    fn a_handshake_under_way_or_refused_is_an_entry_and_no_session() {
        let name = NodeName::new("w2").expect("a name");
        let changed = |from: &str, to: &str| recorded().iter().map(|l| l.replace(from, to)).collect::<Vec<_>>();
        let under_way =
            changed("CLIENT_LIST\tw2\t192.0.2.12:58681\t10.77.1.2", "CLIENT_LIST\tUNDEF\t192.0.2.12:58681\t");
        assert_eq!(sessions(&under_way).expect("sessions").len(), 1);
        assert_eq!(entries(&under_way, &name), Ok(0));
        let refused = changed("192.0.2.12:58681\t10.77.1.2", "192.0.2.12:58681\t");
        assert_eq!(sessions(&refused).expect("sessions").len(), 1);
        assert_eq!(entries(&refused, &name), Ok(1));
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
        assert_eq!(sessions(&lines).expect_err("no header").column, VIRTUAL);
    }
}
