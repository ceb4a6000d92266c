//! A document as Markdown: `docs/benchmarks.md`.

use std::fmt::Write as _;

use crate::bench::report::machine::MachineDescription;
use crate::bench::report::{Document, Goal, Section, Table};

const INTRODUCTION: &str = "\
# Measured

`scripts/bench` writes this page: Landbridge beside its peers, in one run, each alone on the machine while it is measured. Figures
are medians of several runs, with the least and the greatest in brackets; runs of one and the other take turns. What counts
are ratios: absolute figures are this machine's. The tunnels carry the production configuration, encrypted and authenticated;
the peers' configurations are in `netns-tests/src/bench/peers`. `scripts/bench NAME…` repeats single sections, and the values
of all runs are in `benchmarks.json`.
";

/// The whole page.
pub fn document(document: &Document) -> String {
    let mut page = INTRODUCTION.to_owned();
    page += &machine(&document.machine);
    page += &goals(document.sections.iter().flat_map(|section| &section.goals));
    for section in &document.sections {
        page += &self::section(section);
    }
    page
}

fn machine(machine: &MachineDescription) -> String {
    let versions: Vec<_> = machine.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    format!(
        "\n## The machine\n\n{}; {} × {}, {:.0} GiB of memory; {}, Linux {}. Load at the start of the run: {:.2} (other programs \
         share the processors where that is more than a few tenths, and the figures suffer).\n\n{}.\n",
        machine.date,
        machine.processors,
        machine.processor,
        machine.memory_gib,
        machine.system,
        machine.kernel,
        machine.load,
        versions.join(", "),
    )
}

/// The goals in one table, and below it a paragraph for those that aren't reached for the same reason.
fn goals<'a>(goals: impl Iterator<Item = &'a Goal>) -> String {
    let goals: Vec<_> = goals.collect();
    let rows = goals.iter().map(|goal| {
        let verdict = if goal.is_reached() { goal.verdict().to_owned() } else { format!("**{}**", goal.verdict()) };
        vec![goal.what.clone(), goal.shown_asked(), goal.shown_got(), verdict]
    });
    let head = ["figure", "to reach", "measured", ""].map(str::to_owned);
    let mut text = format!("\n## Figures to reach\n\n{}", lines(&head, rows));
    let missed: Vec<_> = goals.into_iter().filter(|goal| !goal.is_reached()).collect();
    for alike in missed.chunk_by(|one, next| one.held_back == next.held_back) {
        let names: Vec<_> = alike.iter().map(|goal| goal.what.as_str()).collect();
        let why = alike[0].held_back.as_deref().unwrap_or("Nobody has found out yet what holds it back.");
        let _ = write!(text, "\n**{}.** {why}\n", names.join("; "));
    }
    text
}

fn section(section: &Section) -> String {
    let mut text = format!("\n## {}\n\n", section.title);
    let _ = write!(text, "`scripts/bench {}`", section.name);
    if !section.began.is_empty() {
        let _ = write!(text, ", {} UTC, {:.0} s", section.began, section.took_secs);
    }
    text += ".\n";
    for paragraph in &section.conditions {
        let _ = write!(text, "\n{paragraph}\n");
    }
    for picture in &section.pictures {
        let _ = write!(text, "\n![{}]({})\n", picture.caption, picture.file);
    }
    for table in &section.tables {
        let _ = write!(text, "\n{}", self::table(table));
    }
    for failure in &section.failures {
        let _ = write!(text, "\n**Failed:** {}\n", failure.replace('\n', " "));
    }
    text
}

fn table(table: &Table) -> String {
    let rows = table.rows.iter().map(|row| {
        let cells = row.cells.iter().map(crate::bench::report::Cell::show);
        std::iter::once(row.label.clone()).chain(cells).collect()
    });
    lines(&table.columns, rows)
}

fn lines(head: &[String], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule = head.iter().map(|_| "---".to_owned()).collect::<Vec<_>>();
    line(head) + &line(&rule) + &rows.map(|row| line(&row)).collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::super::sample;

    #[test]
    fn a_page_tells_the_machine_the_goals_and_every_section() {
        insta::assert_snapshot!(super::document(&sample::document()));
    }
}
