//! One run: measure, print, keep.

use std::fs;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;

use super::report::machine::MachineDescription;
use super::report::{Document, Section};
use super::{MEASUREMENTS, Measurement, Outcome, render};

/// The document, and its values for programs.
const TEXT: &str = "benchmarks.md";
const VALUES: &str = "benchmarks.json";

/// Measures one after the other, prints each as it is done, and keeps them in the documents' directory, if one is given.
/// Those that are not `chosen` stay there as they were.
///
/// # Errors
/// The documents can't be read or written. A measurement that failed is told of in its section.
pub fn run(chosen: &[&'static Measurement], documents: Option<&Path>) -> Outcome<()> {
    let machine = MachineDescription::look();
    println!("{}", render::terminal::machine(&machine));
    let mut sections = Vec::new();
    for measurement in chosen {
        let section = measured(measurement);
        println!("{}", render::terminal::section(&section));
        sections.push(section);
        if let Some(directory) = documents {
            keep(directory, &machine, &sections)?;
        }
    }
    println!("{}", render::terminal::goals(&sections));
    Ok(())
}

/// A measurement that panics has failed like any other.
fn measured(measurement: &Measurement) -> Section {
    let start = Instant::now();
    let mut section = Section::new(measurement.name, measurement.title);
    section.began = Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
    eprintln!("bench: {}", measurement.name);
    let outcome = catch_unwind(AssertUnwindSafe(|| (measurement.measure)(&mut section)));
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => section.fail("the rest", error.as_ref()),
        Err(_) => section.failures.push("the rest: the measurement panicked".to_owned()),
    }
    section.finish(start.elapsed());
    section
}

fn keep(directory: &Path, machine: &MachineDescription, sections: &[Section]) -> Outcome<()> {
    fs::create_dir_all(directory)?;
    let mut document = kept(directory)?;
    document.machine = machine.clone();
    document.renew(sections.to_vec(), &known());
    fs::write(directory.join(VALUES), serde_json::to_string_pretty(&document)? + "\n")?;
    for picture in sections.iter().flat_map(|section| &section.pictures) {
        fs::write(directory.join(&picture.file), &picture.svg)?;
    }
    write(directory, &document)
}

/// Writes the page anew from the kept values.
///
/// # Errors
/// The documents can't be read or written.
pub fn render(directory: &Path) -> Outcome<()> {
    let mut document = kept(directory)?;
    document.renew(Vec::new(), &known());
    write(directory, &document)
}

fn write(directory: &Path, document: &Document) -> Outcome<()> {
    Ok(fs::write(directory.join(TEXT), render::markdown::document(document))?)
}

fn known() -> Vec<(&'static str, &'static str)> {
    MEASUREMENTS.iter().map(|measurement| (measurement.name, measurement.title)).collect()
}

/// What was kept before. One that this program can't read any more begins anew.
fn kept(directory: &Path) -> Outcome<Document> {
    let empty = Document { machine: MachineDescription::look(), sections: Vec::new() };
    match fs::read(directory.join(VALUES)) {
        Ok(text) => Ok(serde_json::from_slice(&text).unwrap_or(empty)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(empty),
        Err(error) => Err(error.into()),
    }
}
