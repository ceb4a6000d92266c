//! A join's stages as a chart in text.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use landbridge_node::wire::{Failure, Outcome, StageReport};

use super::tone::paint;
use crate::cli::Style;
use crate::view::{TimelineView, Tone, ago, took};

/// Left of the bars: stage, how long it took, when it ended.
const LABELS: usize = 32;
const BLOCKS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// The stages with how long each took, when it ended after the start, and a bar; a failed one with what was expected, what
/// was seen and what to do.
pub fn timeline(join: &TimelineView, now: Timestamp, style: Style) -> String {
    let mut out = String::new();
    let total = join.total();
    let ending = if join.failed().is_some() { "failed after" } else { "took" };
    let verdict = match join.running {
        Some(stage) => format!("under way: {stage}, for {}", ago(join.started, now)),
        None => format!("{ending} {}", took(total)),
    };
    let _ = writeln!(out, "join {verdict}\n  {:<10}{:>9}{:>9}", "STAGE", "TOOK", "AT");
    let width = style.width().clamp(LABELS + 20, LABELS + 60) - LABELS;
    for report in &join.stages {
        stage(report, total, width, style, &mut out);
    }
    if let Some(running) = join.running {
        let dots = paint(Tone::Busy, &format!("{:>9}", "…"), style.is_fancy());
        let _ = writeln!(out, "  {:<10}{dots}", running.as_str());
    }
    out
}

fn stage(report: &StageReport, total: Duration, width: usize, style: Style, out: &mut String) {
    let length = Duration::from_millis(report.took_ms);
    let end = Duration::from_millis(report.started_ms.saturating_add(report.took_ms));
    let name = report.stage.as_str();
    let (tone, label) = match &report.outcome {
        Outcome::NotNeeded => {
            let _ = writeln!(out, "  {name:<10}{:>9}", "-");
            return;
        }
        Outcome::Passed => (Tone::Good, ""),
        Outcome::Failed(_) => (Tone::Bad, " failed"),
    };
    let bar = bar(report, total, width);
    let bar = paint(tone, &format!("{bar}{label}"), style.is_fancy());
    let _ = writeln!(out, "  {name:<10}{:>9}{:>9}  {bar}", took(length), took(end));
    if let Outcome::Failed(failure) = &report.outcome {
        explain(failure, out);
    }
}

fn explain(failure: &Failure, out: &mut String) {
    for (what, text) in [("expected", &failure.expected), ("saw", &failure.seen), ("do", &failure.remedy)] {
        let _ = writeln!(out, "      {what:<9} {}", text.replace('\n', "\n                "));
    }
}

/// A bar from the stage's start to its end, `width` columns being the whole join; never shorter than an eighth of a column.
fn bar(report: &StageReport, total: Duration, width: usize) -> String {
    let total = total.as_millis().max(1);
    let eighths = |ms: u64| usize::try_from(u128::from(ms) * width as u128 * 8 / total).unwrap_or(0).min(width * 8);
    let start = eighths(report.started_ms) / 8;
    let end = eighths(report.started_ms.saturating_add(report.took_ms)).max(start * 8 + 1);
    let length = end - start * 8;
    let mut bar = " ".repeat(start);
    bar.extend(std::iter::repeat_n(BLOCKS[7], length / 8));
    bar.extend((length % 8).checked_sub(1).map(|rest| BLOCKS[rest]));
    bar
}
