//! The kept benchmarks tell of everything that can be measured.

use std::collections::BTreeSet;
use std::path::Path;

use netns_tests::bench::MEASUREMENTS;

#[test]
fn every_measurement_has_a_name_of_its_own_and_stands_in_the_kept_document() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks.md");
    let page = std::fs::read_to_string(&document).expect("docs/benchmarks.md, which scripts/bench writes");
    let names: BTreeSet<_> = MEASUREMENTS.iter().map(|measurement| measurement.name).collect();
    assert_eq!(names.len(), MEASUREMENTS.len());
    for name in names {
        assert!(page.contains(&format!("`scripts/bench {name}`")), "{name} is missing: run scripts/bench keep {name}");
    }
}
