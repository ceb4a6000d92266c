//! What `ip` and `bridge` say is there, in our terms: a second opinion on every observation.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;
use landbridge_fabric::{InterfaceName, Kind, Link, Observed, Vni};
use serde_json::Value;

use crate::common::name;
use crate::common::netns::run_json;

/// The network of the thread's namespace, by iproute2.
pub(crate) fn judged() -> Observed {
    let all = run_json("ip -j -d -4 address");
    let mut links: BTreeMap<_, _> = run_json("ip -j -d link").as_array().unwrap().iter().map(link).collect();
    for item in all.as_array().unwrap() {
        let Some(link) = item["ifname"].as_str().and_then(|text| links.get_mut(&name(text))) else { continue };
        link.addresses = item["addr_info"].as_array().unwrap().iter().map(address).collect();
    }
    for entry in run_json("bridge -j fdb show").as_array().unwrap() {
        let link = entry["ifname"].as_str().and_then(|text| links.get_mut(&name(text)));
        if let (Some(link), "00:00:00:00:00:00", true) = (link, entry["mac"].as_str().unwrap(), entry["port"].is_null())
        {
            link.flood.extend(entry["dst"].as_str().map(|text| text.parse::<Ipv4Addr>().unwrap()));
        }
    }
    Observed { links }
}

fn link(item: &Value) -> (InterfaceName, Link) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let up = item["flags"].as_array().unwrap().iter().any(|flag| flag == "UP");
    let link = Link {
        kind: kind(&item["linkinfo"]),
        mtu: u32::try_from(item["mtu"].as_u64().unwrap()).unwrap(),
        up,
        controller: item["master"].as_str().map(name),
        addresses: [].into(),
        flood: [].into(),
        alias: text(&item["ifalias"]),
    };
    (name(item["ifname"].as_str().unwrap()), link)
}

fn kind(info: &Value) -> Kind {
    let data = &info["info_data"];
    match info["info_kind"].as_str() {
        Some("bridge") => Kind::Bridge,
        Some("vxlan") => Kind::Vxlan {
            vni: Vni::new(u32::try_from(data["id"].as_u64().unwrap()).unwrap()).unwrap(),
            local: data["local"].as_str().map(|text| text.parse().unwrap()),
            port: u16::try_from(data["port"].as_u64().unwrap()).unwrap(),
        },
        Some("tun") if data["type"] == "tap" && data["persist"] == true => Kind::Tap,
        other => Kind::Other { name: other.unwrap_or("nic").to_owned(), parent: None },
    }
}

fn address(info: &Value) -> Ipv4Network {
    let prefix = u8::try_from(info["prefixlen"].as_u64().unwrap()).unwrap();
    Ipv4Network::new(info["local"].as_str().unwrap().parse().unwrap(), prefix).unwrap()
}
