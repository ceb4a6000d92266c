//! `report deploy`.

use std::fmt::Write as _;
use std::time::Duration;

use comfy_table::Cell;

use super::table::Columns;
use crate::cli::Style;
use crate::view::{DeploySummary, DeployView, took};

/// How long workers took, by host and kind.
pub fn deploys(view: &DeployView, style: Style) -> String {
    if view.summary.is_empty() {
        return "no worker was ever booted: landbridge worker boot\n".into();
    }
    let parts: Vec<String> = view.summary.iter().map(|summary| of(summary, style)).collect();
    parts.join("\n")
}

fn of(summary: &DeploySummary, style: Style) -> String {
    let DeploySummary { host, kind, asked, ready, steps } = summary;
    let mut out = format!("{host}, {kind}: {ready} of {asked} became ready\n");
    if steps.is_empty() {
        return out;
    }
    let mut columns = Columns::new(&["STEP", "MIN>", "MEDIAN>", "MAX>"], style);
    for step in steps {
        let time = |ms| Cell::new(took(Duration::from_millis(ms)));
        columns.row([Cell::new(&step.step), time(step.min_ms), time(step.median_ms), time(step.max_ms)]);
    }
    for line in columns.finish().lines() {
        let _ = writeln!(out, "  {line}");
    }
    out
}
