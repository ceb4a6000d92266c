//! As much of HTTP/1.1 as two programs that know each other need: one exchange a connection.

use std::io::{self, BufRead, BufReader, Read, Write};

/// The largest body that is read, in bytes.
const MOST: u64 = 16 * 1024 * 1024;

/// The longest line, and the most lines of a head.
const MOST_LINE: u64 = 8 * 1024;
const MOST_LINES: usize = 100;

/// A request, or an answer: its first line, its headers (names in lower case), its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) first: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Message {
    /// A header's value.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The second word of the first line: a request's path, an answer's status.
    pub(super) fn second(&self) -> &str {
        self.first.split(' ').nth(1).unwrap_or_default()
    }

    /// Reads a request, whose body may only be as long as it says.
    pub(super) fn read_request(from: impl Read) -> io::Result<Self> {
        let mut from = BufReader::new(from);
        let mut message = Self::head(&mut from)?;
        let length = message.header("content-length").map_or(Ok(0), str::parse).map_err(io::Error::other)?;
        from.take(MOST.min(length)).read_to_end(&mut message.body)?;
        Ok(message)
    }

    /// Reads an answer, to the end of the connection.
    pub(super) fn read_answer(from: impl Read) -> io::Result<Self> {
        let mut from = BufReader::new(from);
        let mut message = Self::head(&mut from)?;
        from.take(MOST).read_to_end(&mut message.body)?;
        Ok(message)
    }

    fn head(from: &mut impl BufRead) -> io::Result<Self> {
        let mut message = Self { first: line(from)?, ..Self::default() };
        while message.headers.len() < MOST_LINES {
            let line = line(from)?;
            let Some((name, value)) = line.split_once(':') else { return Ok(message) };
            message.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Err(io::Error::other("too many headers"))
    }

    /// Writes it, with its body's length, and says that nothing follows.
    pub(super) fn write(&self, mut to: impl Write) -> io::Result<()> {
        let length = self.body.len().to_string();
        let ours = [("Content-Length", length.as_str()), ("Connection", "close")];
        let theirs = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let lines = ours.into_iter().chain(theirs).map(|(name, value)| format!("{name}: {value}\r\n"));
        let text =
            [self.first.as_str(), "\r\n"].into_iter().map(str::to_owned).chain(lines).collect::<String>() + "\r\n";
        to.write_all(&[text.as_bytes(), &self.body].concat())
    }
}

fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    from.take(MOST_LINE).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}
