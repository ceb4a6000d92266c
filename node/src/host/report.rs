//! What a host did, and what it sees.

use std::fs;
use std::path::Path;

use landbridge_fabric::{InterfaceName, LinkKind, Network};

use crate::facts::machine_facts;
use crate::nic;
use crate::wire::{FabricReport, Failure};

/// A report on an order: what was changed, and the bridges' ports and the links' addresses as the kernel shows them.
pub fn report(generation: u64, network: &Network, changed: Vec<String>, failure: Option<Failure>) -> FabricReport {
    let bridges = network.links.iter().filter(|(_, link)| link.kind == LinkKind::Bridge).map(|(name, _)| name);
    FabricReport {
        generation,
        changed,
        ports: bridges.flat_map(ports).collect(),
        addresses: network.links.keys().flat_map(nic::addresses).collect(),
        failure,
        facts: machine_facts(),
    }
}

/// The names of a bridge's ports.
fn ports(bridge: &InterfaceName) -> Vec<String> {
    let Ok(entries) = fs::read_dir(Path::new("/sys/class/net").join(bridge.as_str()).join("brif")) else {
        return Vec::new();
    };
    let mut ports: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    ports.sort();
    ports
}
