//! Sections on a terminal.

use std::fmt::Write as _;

use comfy_table::presets::NOTHING;

use crate::bench::report::machine::MachineDescription;
use crate::bench::report::{Section, Table};

/// The machine, in a line.
pub fn machine(machine: &MachineDescription) -> String {
    let MachineDescription { processor, processors, memory_gib, kernel, load, .. } = machine;
    format!("{processors} × {processor}, {memory_gib:.0} GiB, Linux {kernel}, load {load:.2}")
}

/// A section: heading, tables, what failed.
pub fn section(section: &Section) -> String {
    let mut text = format!("\n{} ({}, {:.0} s)\n", section.title, section.name, section.took_secs);
    for table in &section.tables {
        let _ = writeln!(text, "\n{}", self::table(table));
    }
    for failure in &section.failures {
        let _ = writeln!(text, "\nfailed: {failure}");
    }
    text
}

/// All goals of the sections, one a line.
pub fn goals(sections: &[Section]) -> String {
    let goals = sections.iter().flat_map(|section| &section.goals);
    let rows = goals.map(|goal| [goal.what.clone(), goal.shown_asked(), goal.shown_got(), goal.verdict().to_owned()]);
    let head = ["FIGURE", "TO REACH", "MEASURED", ""].map(str::to_owned);
    aligned(std::iter::once(head.to_vec()).chain(rows.map(|row| row.to_vec())))
}

fn table(table: &Table) -> String {
    let head = table.columns.iter().map(|column| column.to_uppercase()).collect();
    let rows = table.rows.iter().map(|row| {
        let cells = row.cells.iter().map(super::super::report::Cell::show);
        std::iter::once(row.label.clone()).chain(cells).collect()
    });
    aligned(std::iter::once(head).chain(rows))
}

fn aligned(rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(NOTHING).add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_section_and_its_goals_stand_in_columns() {
        let document = sample::document();
        let text = document.sections.iter().map(section).collect::<String>();
        insta::assert_snapshot!(machine(&document.machine) + "\n" + &text + "\n" + &goals(&document.sections));
    }
}
