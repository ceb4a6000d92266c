//! The end of what a machine says outside of any command: its kernel's and its first process's words.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// Lines kept.
const KEPT: usize = 400;

/// A machine's console. Clones are the same console.
#[derive(Clone, Debug, Default)]
pub(crate) struct Console(Arc<Mutex<VecDeque<String>>>);

impl Console {
    /// Reads the stream to its end, on a thread of its own.
    pub(crate) fn record(&self, stream: impl Read + Send + 'static) {
        let console = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                console.add(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
        });
    }

    fn add(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The last lines, oldest first.
    pub(crate) fn tail(&self, count: usize) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().skip(lines.len().saturating_sub(count)).fold(String::new(), |text, line| text + line + "\n")
    }
}
