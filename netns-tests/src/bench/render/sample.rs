//! A document to look at.

use crate::bench::report::machine::MachineDescription;
use crate::bench::report::{Bound, Cell, Document, Goal, Picture, Section, Table};
use crate::bench::statistics::{Sample, Unit};

/// With a goal reached, one missed and one not measured, a failed row, and a picture.
pub(super) fn document() -> Document {
    let machine = MachineDescription {
        date: "2026-03-14 09:26 UTC".into(),
        processor: "Processor of a kind".into(),
        processors: 2,
        memory_gib: 23.4,
        kernel: "6.18.0".into(),
        system: "Debian GNU/Linux 12 (bookworm)".into(),
        versions: vec![("landbridge".into(), "0.1.0".into()), ("tinc".into(), "1.0.36-2".into())],
        load: 0.07,
    };
    Document { machine, sections: vec![tunnel()] }
}

fn tunnel() -> Section {
    let mut section = Section::new("tunnel", "Tunnel throughput");
    section.began = "2026-03-14 09:27".into();
    section.took_secs = 61.4;
    section.note("Both ends share the processors.");
    let ours = Sample::new(Unit::GbitPerSecond, vec![1.9, 2.1, 2.0]);
    let theirs = Sample::new(Unit::GbitPerSecond, vec![0.25, 0.24, 0.26]);
    let mut table = Table::new(["tunnel", "to the front-end", "against OpenVPN by hand"]);
    let ratio = Cell::times(ours.as_ref(), theirs.as_ref());
    table.row("Landbridge", [ours.into(), ratio]);
    table.row("OpenVPN by hand", [theirs.into(), Cell::Empty]);
    table.row("tinc", [Cell::Failed, Cell::Empty]);
    section.tables.push(table);
    section.failures.push("tinc: tincd ended with status 1:\nno such device".into());
    let times = |what: &str, asked, got| Goal::new(what, Unit::Times, Bound::AtLeast(asked), got);
    section.goals = vec![
        times("against OpenVPN by hand", 7.0, Some(8.0)),
        times("against the best peer", 6.0, Some(5.1)).or_because("The processors: both ends share two."),
        times("at 20 ms and 0.1 % loss", 3.0, None),
    ];
    section.pictures.push(Picture { file: "tunnel.svg".into(), caption: "All of them".into(), svg: String::new() });
    section
}
