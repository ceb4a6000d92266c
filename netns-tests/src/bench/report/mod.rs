//! What was measured, as values: a document of sections of tables and goals. Pure, but for [`machine`].

mod goal;
pub mod machine;
mod section;

pub use goal::{Bound, Goal};
pub use section::{Cell, Picture, Row, Section, Table};

use serde::{Deserialize, Serialize};

use machine::MachineDescription;

/// Everything that stands in `docs/benchmarks.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Where it was measured.
    pub machine: MachineDescription,
    /// In the order of the registry.
    pub sections: Vec<Section>,
}

impl Document {
    /// Puts sections in the place of those of their names. Of all that is known, by name and title, each has a section then, in
    /// this order, and nothing else has one.
    pub fn renew(&mut self, sections: Vec<Section>, known: &[(&str, &str)]) {
        let mut found = std::mem::take(&mut self.sections);
        for section in sections {
            found.retain(|old| old.name != section.name);
            found.push(section);
        }
        let kept = |(name, title): &(&str, &str)| {
            let place = found.iter().position(|section| section.name == *name);
            place.map_or_else(|| Section::unmeasured(name, title), |place| found[place].clone())
        };
        self.sections = known.iter().map(kept).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(document: &Document) -> Vec<&str> {
        document.sections.iter().map(|section| section.name.as_str()).collect()
    }

    #[test]
    fn a_section_that_was_measured_again_takes_its_old_place() {
        let section = |name: &str, title: &str| Section::new(name, title);
        let sections = vec![section("keys", "old"), section("gone", "old"), section("tunnel", "old")];
        let mut document = Document { machine: MachineDescription::default(), sections };
        let known = [("tunnel", "Tunnel"), ("fabric", "Fabric"), ("keys", "Keys"), ("join", "Join")];
        document.renew(vec![section("tunnel", "new"), section("fabric", "new")], &known);
        assert_eq!(names(&document), ["tunnel", "fabric", "keys", "join"]);
        assert_eq!(document.sections[0].title, "new");
        assert_eq!(document.sections[3].failures, ["not measured yet"]);
    }
}
