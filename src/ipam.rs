//! Which address comes next. Pure.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;

/// The lowest address of `range` that nobody has. `taken` holds every address that is leased or in quarantine. The network
/// and broadcast addresses of `subnet` and of `range`, and the front-end's address, the subnet's first, are never given.
/// `None` when the range is used up.
pub fn next_address(subnet: Ipv4Network, range: Ipv4Network, taken: &BTreeSet<Ipv4Addr>) -> Option<Ipv4Addr> {
    let first = u32::from(range.network());
    let last = u32::from(range.broadcast());
    let own = u32::from(subnet.network()).saturating_add(1);
    let mut edges = vec![u32::from(subnet.network()), own, u32::from(subnet.broadcast())];
    // Nothing forbids 10.77.1.0 in a larger subnet, but people and programs take such an address for a mistake.
    if range.prefix() < 31 {
        edges.extend([first, last]);
    }
    let mut next = Some(first);
    // `taken` is sorted: the first gap is where the expected address and the next taken one differ.
    let mut busy = taken.range(Ipv4Addr::from(first)..=Ipv4Addr::from(last)).map(|a| u32::from(*a)).peekable();
    while let Some(candidate) = next.filter(|candidate| *candidate <= last) {
        if busy.next_if_eq(&candidate).is_none() && !edges.contains(&candidate) && subnet.contains(candidate.into()) {
            return Some(candidate.into());
        }
        next = candidate.checked_add(1);
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn net(text: &str) -> Ipv4Network {
        text.parse().expect("a subnet")
    }

    #[test]
    fn the_lowest_free_address_comes_first() {
        let taken = ["10.77.1.0", "10.77.1.1", "10.77.1.3"].map(|a| a.parse().expect("an address")).into();
        let next = next_address(net("10.77.0.0/16"), net("10.77.1.0/24"), &taken);
        assert_eq!(next, Some(Ipv4Addr::new(10, 77, 1, 2)));
    }

    #[test]
    fn a_range_that_is_used_up_gives_nothing() {
        let taken = net("10.77.1.0/30").iter().collect();
        assert_eq!(next_address(net("10.77.0.0/16"), net("10.77.1.0/30"), &taken), None);
    }

    #[test]
    fn the_subnets_edges_and_the_front_end_are_never_given() {
        let subnet = net("10.77.0.0/29");
        let mut taken = BTreeSet::new();
        while let Some(address) = next_address(subnet, subnet, &taken) {
            taken.insert(address);
        }
        let given: Vec<_> = taken.iter().map(|a| a.octets()[3]).collect();
        assert_eq!(given, [2, 3, 4, 5, 6]);
    }

    #[test]
    fn the_highest_addresses_of_all_do_not_overflow() {
        let taken = BTreeSet::new();
        let top = net("255.255.255.248/29");
        assert_eq!(next_address(top, net("255.255.255.255/32"), &taken), None);
    }

    proptest! {
        #[test]
        fn what_is_given_is_free_inside_and_the_lowest(
            prefix in 24_u8..=30,
            start in 0_u8..=255,
            taken in proptest::collection::btree_set(any::<u8>(), 0..256),
        ) {
            let subnet = net("10.77.0.0/16");
            let mask = u8::try_from(256_u32 - (1 << (32 - prefix))).unwrap_or(0);
            let range = Ipv4Network::new(Ipv4Addr::new(10, 77, 0, start & mask), prefix).expect("a prefix length");
            let taken: BTreeSet<_> = taken.into_iter().map(|n| Ipv4Addr::new(10, 77, 0, n)).collect();
            // Computed another way: every address of the range, one by one.
            let expected = range
                .iter()
                .filter(|a| *a != Ipv4Addr::new(10, 77, 0, 0) && *a != Ipv4Addr::new(10, 77, 0, 1))
                .filter(|a| *a != range.network() && *a != range.broadcast())
                .find(|a| !taken.contains(a));
            prop_assert_eq!(next_address(subnet, range, &taken), expected);
        }
    }
}
