//! What is told of a machine that came to nothing. Pure.

use std::net::{IpAddr, Ipv4Addr};

use landbridge_node::wire::{Failure, plain};

use crate::provider::Machine;
use crate::store::MachineRecord;
use crate::worker::FailedAt;

/// So many characters of what a host says of a machine's end.
const MOST_OF_WHY: usize = 300;

/// Its time is over; `mine` is what its host last showed of it, `home` where it should have called.
pub(super) fn too_late(record: &MachineRecord, mine: &[Machine], at: FailedAt, home: Ipv4Addr) -> Failure {
    let (within, host) = (format!("{:#}", record.patience), &record.host);
    let (expected, hint) = match at {
        FailedAt::Stage(stage) => (format!("the worker to be ready within {within}; it came to {stage}"), None),
        _ => (format!("a word from its machine on {host} within {within}"), way_out(mine, home)),
    };
    let console = format!("read what it wrote: landbridge worker console {}", record.worker);
    Failure {
        expected,
        seen: "none in time".into(),
        remedy: [Some(console), hint].into_iter().flatten().collect::<Vec<_>>().join("; "),
    }
}

/// The commonest reason for silence in a cloud: a subnet that gives out no public addresses, and has no other way out.
fn way_out(mine: &[Machine], home: Ipv4Addr) -> Option<String> {
    // Within one private network, or over somebody's own way between two, it may well be right.
    if home.is_private() {
        return None;
    }
    let is_private = |address: &IpAddr| matches!(address, IpAddr::V4(address) if address.is_private());
    let address = mine.iter().find_map(|machine| machine.address).filter(is_private)?;
    Some(format!(
        "it has no public address, only {address}: from there it calls home through a NAT gateway or not at all"
    ))
}

/// It is no more, or never was; `mine` is what its host last showed of it.
pub(super) fn vanished(record: &MachineRecord, mine: &[Machine]) -> Failure {
    Failure {
        expected: format!("its machine on {}", record.host),
        seen: because(mine).map_or_else(|| "none any more".into(), |why| format!("none any more: {why}")),
        remedy: format!("look at {}, then boot another worker", record.host),
    }
}

/// Why it ended, in its host's own words as a person may be shown them.
pub(super) fn because(mine: &[Machine]) -> Option<String> {
    let why = mine.iter().find_map(|machine| machine.because.as_deref())?;
    Some(plain(why).chars().take(MOST_OF_WHY).collect())
}

#[cfg(test)]
mod tests {
    use landbridge_pki::NodeName;

    use super::*;
    use crate::provider::{Launch, MachineId, MachineState};
    use crate::spec::ClusterName;

    fn machine(address: Option<&str>, because: Option<&str>) -> Machine {
        Machine {
            id: MachineId("i-1".into()),
            launch: Launch {
                cluster: ClusterName::new("ursa").expect("a name"),
                worker: NodeName::new("w1").expect("a label"),
                worker_id: 1,
                attempt: 1,
            },
            state: MachineState::Running,
            address: address.map(|text| text.parse().expect("an address")),
            started: None,
            reclaimed_at: None,
            because: because.map(str::to_owned),
        }
    }

    #[test]
    fn a_silent_machine_without_a_public_address_is_told_of_its_way_out() {
        let told_from = |address, home: &str| {
            let (record, home) = (MachineRecord::example(1), home.parse().expect("an address"));
            too_late(&record, &[machine(address, None)], FailedAt::Booting, home).remedy
        };
        let told = |address| told_from(address, "198.51.100.1");
        insta::assert_snapshot!(
            told(Some("172.31.0.11")),
            @"read what it wrote: landbridge worker console w1; it has no public address, only 172.31.0.11: from there it calls home through a NAT gateway or not at all"
        );
        assert_eq!(told(Some("203.0.113.4")), told(None));
        assert_eq!(told_from(Some("172.31.0.11"), "172.31.0.5"), told(None), "they are neighbours");
    }

    #[test]
    fn a_hosts_words_are_shown_as_words_and_not_for_ever() {
        let why = because(&[machine(None, Some(&format!("\u{1b}[2J{}", "no room ".repeat(100))))]).expect("words");
        assert_eq!((why.chars().count(), why.starts_with("\u{fffd}[2Jno room no")), (300, true));
    }
}
