//! `meta-data` and `network-config`, as cloud-init's NoCloud source reads them.

use std::collections::BTreeMap;

use ipnetwork::Ipv4Network;
use landbridge_fabric::Mtu;
use landbridge_pki::NodeName;
use serde::Serialize;

use crate::naming::Mac;

/// A machine's card on the vLAN's bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Card {
    /// Its address there, by which the machine knows it.
    pub mac: Mac,
    /// The machine's address, with the vLAN's prefix length.
    pub address: Ipv4Network,
    /// The vLAN's MTU.
    pub mtu: Mtu,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct MetaData<'a> {
    instance_id: &'a str,
    local_hostname: &'a str,
}

#[derive(Serialize)]
struct NetworkConfig {
    version: u8,
    ethernets: BTreeMap<&'static str, Ethernet>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Ethernet {
    r#match: Match,
    addresses: [String; 1],
    mtu: u32,
    dhcp4: bool,
    accept_ra: bool,
}

#[derive(Serialize)]
struct Match {
    macaddress: String,
}

/// `meta-data`: `launch` names this attempt to make the machine, for ever; cloud-init does its work once for each.
pub fn meta_data(launch: &str, worker: &NodeName) -> String {
    yaml(&MetaData { instance_id: launch, local_hostname: worker.as_str() })
}

/// `network-config`, version 2, for a machine on a bridge: nobody there tells it its address. In a cloud there is none.
pub fn network_config(card: &Card) -> String {
    let ethernet = Ethernet {
        r#match: Match { macaddress: card.mac.to_string() },
        addresses: [card.address.to_string()],
        mtu: card.mtu.bytes(),
        dhcp4: false,
        accept_ra: false,
    };
    yaml(&NetworkConfig { version: 2, ethernets: BTreeMap::from([("vlan", ethernet)]) })
}

fn yaml(document: &impl Serialize) -> String {
    serde_saphyr::to_string(document).expect("texts, numbers and tables are YAML")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_on_a_bridge_is_told_its_name_and_its_card() {
        let address = "10.77.1.5/16".parse::<Ipv4Network>().expect("an address");
        let card = Card { mac: Mac::of(address.ip()), address, mtu: Mtu::new(1500).expect("an MTU") };
        let meta = meta_data("lb-ursa-w1-7-1", &NodeName::new("w1").expect("a name"));
        insta::assert_snapshot!(format!("{meta}---\n{}", network_config(&card)));
    }

    #[test]
    fn a_name_that_yaml_would_take_for_something_else_is_quoted() {
        for name in ["on", "no", "1e3", "12"] {
            let text = meta_data("lb-ursa-on-7-1", &NodeName::new(name).expect("a name"));
            assert!(text.contains(&format!("\"{name}\"")) || text.contains(&format!("'{name}'")), "{text}");
        }
    }
}
