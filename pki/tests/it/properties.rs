//! What holds for any names, roles and days.

use std::collections::HashSet;

use landbridge_pki::authority::CertificateSpec;
use landbridge_pki::{CertificateFacts, NodeName, Role, Serial};
use proptest::prelude::*;

use crate::fixture::{Lab, after_days, days};

fn a_name() -> impl Strategy<Value = NodeName> {
    "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?".prop_map(|text| NodeName::new(text).unwrap())
}

fn a_role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::FrontEnd), Just(Role::Host), Just(Role::Worker)]
}

fn a_spec() -> impl Strategy<Value = CertificateSpec> {
    (a_name(), a_role(), 1..4000_u64)
        .prop_map(|(name, role, life)| CertificateSpec { life: days(life), ..CertificateSpec::new(name, role) })
}

/// A certificate to issue, and on which day.
fn a_wish() -> impl Strategy<Value = (CertificateSpec, u64)> {
    (a_spec(), 0..3600_u64)
}

proptest! {
    // A case makes an authority, which is slow on purpose; the certificates in it are what counts.
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_issued_is_unique_readable_and_never_outlives_the_authority(
        wishes in proptest::collection::vec(a_wish(), 1..20)
    ) {
        let mut lab = Lab::new();
        let mut serials: HashSet<Serial> = HashSet::new();
        for (spec, day) in wishes {
            let issued = lab.issue_as(&spec, after_days(day));
            prop_assert!(serials.insert(issued.facts.serial));
            prop_assert_eq!(&CertificateFacts::from_pem(&issued.pem).unwrap(), &issued.facts);
            prop_assert_eq!((&issued.facts.name, issued.facts.role), (&spec.name, spec.role));
            prop_assert_eq!(issued.facts.serial.to_string().parse(), Ok(issued.facts.serial));
            prop_assert!(issued.facts.not_after <= lab.authority.register().not_after());
            prop_assert!(issued.facts.not_before < after_days(day) && after_days(day) < issued.facts.not_after);
        }
    }

    #[test]
    fn what_has_broken_by_a_day_has_broken_by_any_later_one(
        wishes in proptest::collection::vec(a_wish(), 1..20),
        mut on in proptest::collection::vec(0..8000_u64, 2..8)
    ) {
        let mut lab = Lab::new();
        for (spec, day) in wishes {
            lab.issue_as(&spec, after_days(day));
        }
        on.sort_unstable();
        let checks: Vec<_> = on.iter().map(|&d| lab.authority.register().check(after_days(d)).unwrap()).collect();
        for (day, check) in on.iter().zip(&checks) {
            prop_assert!(check.is_sorted_by_key(|b| b.when));
            prop_assert!(check.iter().all(|b| b.when <= after_days(*day)));
        }
        for pair in checks.windows(2) {
            prop_assert!(pair[1].starts_with(&pair[0]));
        }
    }
}
