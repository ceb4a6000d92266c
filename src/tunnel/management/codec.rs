//! Bytes into messages.

use super::Message;

/// The longest line in bytes. openvpn's own are at most some 10 KiB (a log line).
pub const MAX_LINE: usize = 16 * 1024;

/// A line longer than [`MAX_LINE`]: whoever is at the other end, it is no openvpn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line is longer than {MAX_LINE} bytes")]
pub struct LineTooLong;

/// Cuts a stream of bytes into messages. It holds one unfinished line and what was pushed last: push what a read gave, and
/// take every message before the next read.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    start: usize,
}

impl Decoder {
    /// Adds bytes behind the others.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message; `None` until more bytes are there. Lines end with LF, with or without CR; empty lines are
    /// passed over, bytes that are no UTF-8 replaced.
    pub fn next_message(&mut self) -> Result<Option<Message>, LineTooLong> {
        loop {
            let rest = &self.buffer[self.start..];
            let Some(length) = rest.iter().take(MAX_LINE).position(|&byte| byte == b'\n') else {
                return if rest.len() < MAX_LINE { Ok(None) } else { Err(LineTooLong) };
            };
            let line = String::from_utf8_lossy(&rest[..length]);
            let line = line.trim_end_matches('\r');
            let message = (!line.is_empty()).then(|| Message::parse(line));
            self.start += length + 1;
            if message.is_some() {
                return Ok(message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    /// Recorded from OpenVPN 2.6.14: greeting; version, pid, state, status 3, three errors, a kill.
    const ANSWERS: &[u8] = include_bytes!("testdata/answers.txt");
    /// Recorded from OpenVPN 2.6.14 with `management-hold` and `management-client-auth`: a client comes and goes.
    const EVENTS: &[u8] = include_bytes!("testdata/events.txt");

    fn decode<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> Vec<Message> {
        let mut decoder = Decoder::default();
        let mut messages = Vec::new();
        for chunk in chunks {
            decoder.push(chunk);
            while let Some(message) = decoder.next_message().expect("short lines") {
                messages.push(message);
            }
        }
        messages
    }

    fn listed(bytes: &[u8]) -> String {
        decode(std::iter::once(bytes)).iter().fold(String::new(), |mut all, message| {
            writeln!(all, "{message:?}").expect("a String takes everything");
            all
        })
    }

    #[test]
    fn the_answers_of_a_real_server_are_understood() {
        insta::assert_snapshot!("answers", listed(ANSWERS));
    }

    #[test]
    fn the_notifications_of_a_real_server_are_understood() {
        insta::assert_snapshot!("events", listed(EVENTS));
    }

    proptest! {
        #[test]
        fn how_the_bytes_arrive_does_not_matter(size in 1_usize..600) {
            prop_assert_eq!(decode(ANSWERS.chunks(size)), decode(std::iter::once(ANSWERS)));
        }

        #[test]
        fn no_bytes_make_it_panic_or_grow(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
            let mut decoder = Decoder::default();
            for chunk in bytes.chunks(100) {
                decoder.push(chunk);
                while decoder.next_message().expect("short lines").is_some() {}
                prop_assert!(decoder.buffer.len() - decoder.start < MAX_LINE);
            }
        }
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let mut decoder = Decoder::default();
        decoder.push(&[b'x'; MAX_LINE - 1]);
        assert_eq!(decoder.next_message(), Ok(None));
        decoder.push(b"x");
        assert_eq!(decoder.next_message(), Err(LineTooLong));
    }
}
