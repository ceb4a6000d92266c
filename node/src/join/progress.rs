//! What a person sees of a join: live on a terminal, plain lines elsewhere.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use crate::wire::{Outcome, Stage, StageReport};

/// Where the stages are shown.
#[derive(Debug)]
pub struct Progress {
    terminal: bool,
}

impl Progress {
    /// For this process's standard output.
    pub fn of_stdout() -> Self {
        Self { terminal: io::stdout().is_terminal() }
    }

    /// A stage begins: on a terminal its name is shown until the line is complete.
    pub fn begins(&self, stage: Stage) {
        if self.terminal {
            print(&format!("{stage:<9} …"));
        }
    }

    /// A stage has ended.
    pub fn ended(&self, report: &StageReport) {
        if self.terminal {
            print("\r\x1b[K");
        }
        print(&lines(report));
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
