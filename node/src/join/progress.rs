//! What a person sees of a join: live on a terminal, plain lines elsewhere.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use crate::wire::{Outcome, Stage, StageReport};

/// Where the stages are shown, those that run side by side in their order.
#[derive(Debug)]
pub struct Progress {
    terminal: bool,
    /// Those that are not shown yet; with its lines, one that has ended before an earlier one.
    open: Vec<(Stage, Option<String>)>,
}

impl Progress {
    /// For this process's standard output.
    pub fn of_stdout() -> Self {
        Self { terminal: io::stdout().is_terminal(), open: Vec::new() }
    }

    /// A stage begins: on a terminal its name is shown until the line is complete. Of those that run side by side the others
    /// may be told of before they do.
    pub fn begins(&mut self, stage: Stage) {
        if self.open.iter().all(|(open, _)| *open != stage) {
            self.open.push((stage, None));
        }
        self.show_running();
    }

    /// A stage has ended.
    pub fn ended(&mut self, report: &StageReport) {
        match self.open.iter_mut().find(|(stage, _)| *stage == report.stage) {
            Some((_, text)) => *text = Some(lines(report)),
            None => self.open.push((report.stage, Some(lines(report)))),
        }
        let shown = self.open.iter().take_while(|(_, text)| text.is_some()).count();
        let text: String = self.open.drain(..shown).filter_map(|(_, text)| text).collect();
        if self.terminal {
            print("\r\x1b[K");
        }
        print(&text);
        self.show_running();
    }

    fn show_running(&self) {
        let running: Vec<_> =
            self.open.iter().filter(|(_, text)| text.is_none()).map(|(stage, _)| stage.as_str()).collect();
        if self.terminal && !running.is_empty() {
            print(&format!("\r\x1b[K{} …", running.join(", ")));
        }
    }

    /// A remark between the stages.
    pub fn remark(&self, text: &str) {
        print(&format!("{text}\n"));
    }
}

/// A join goes on when nobody reads along.
fn print(text: &str) {
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// A stage's line, and below it what went wrong.
pub fn lines(report: &StageReport) -> String {
    let (word, failure) = match &report.outcome {
        Outcome::NotNeeded => return format!("{:<9} not needed\n", report.stage),
        Outcome::Passed => ("ok", None),
        Outcome::Failed(failure) => ("failed", Some(failure)),
    };
    let mut text = format!("{:<9} {word:<6} {:>9}\n", report.stage, took(Duration::from_millis(report.took_ms)));
    if let Some(failure) = failure {
        for (what, words) in [("expected", &failure.expected), ("saw", &failure.seen), ("remedy", &failure.remedy)] {
            let _ = writeln!(text, "  {what:<8} {}", words.replace('\n', "\n           "));
        }
    }
    text
}

fn took(time: Duration) -> String {
    match time.as_millis() {
        ms @ 0..10_000 => format!("{ms} ms"),
        ms => format!("{:.1} s", Duration::from_millis(u64::try_from(ms).unwrap_or(u64::MAX)).as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Failure;

    #[test]
    fn a_timeline_reads_like_this() {
        let report = |stage, outcome, took_ms| StageReport { stage, outcome, started_ms: 0, took_ms };
        let failure = Failure {
            expected: "an OpenVPN server at 198.51.100.1:1194 (UDP)".into(),
            seen: "no answer to any packet".into(),
            remedy: "let UDP through to that port".into(),
        };
        let text: String = [
            report(Stage::Contact, Outcome::Passed, 12),
            report(Stage::Nfs, Outcome::NotNeeded, 0),
            report(Stage::Link, Outcome::Failed(failure), 15_012),
        ]
        .iter()
        .map(lines)
        .collect();
        insta::assert_snapshot!(text);
    }
}
