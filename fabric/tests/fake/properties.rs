//! The properties of a walk from network to network, on the fake kernel: many cases.

use crate::common::properties;
use crate::common::strategy::{others, walks};
use landbridge_fabric::Fake;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_way_to_a_network_does_not_matter(walk in walks(true, 6)) {
        let mut fake = Fake::with(others().links);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(properties::walk(&mut fake, &walk));
    }
}
