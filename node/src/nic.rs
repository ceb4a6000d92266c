//! Which NIC is on the vLAN's bridge, and what addresses links have.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use ipnetwork::Ipv4Network;
use landbridge_fabric::{InterfaceName, Mtu};
use nix::ifaddrs::getifaddrs;

/// Where the kernel shows its links.
const CLASS_NET: &str = "/sys/class/net";

/// A link, as far as the choice needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nic {
    /// Its name.
    pub name: InterfaceName,
    /// Its IPv4 addresses.
    pub addresses: Vec<Ipv4Network>,
}

/// No NIC, or too many, to choose from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NicError {
    /// Every Ethernet NIC has an address.
    #[error("no Ethernet NIC without an address")]
    None,
    /// More than one has none.
    #[error("several Ethernet NICs without an address: {}", .0.join(", "))]
    Several(Vec<String>),
}

/// The NIC to put the address on: the only Ethernet NIC without one, or the one that has it already (an earlier try).
pub fn choose(nics: &[Nic], address: Ipv4Addr) -> Result<InterfaceName, NicError> {
    if let Some(nic) = nics.iter().find(|nic| nic.addresses.iter().any(|a| a.ip() == address)) {
        return Ok(nic.name.clone());
    }
    let bare: Vec<&Nic> = nics.iter().filter(|nic| nic.addresses.is_empty()).collect();
    match bare.as_slice() {
        [] => Err(NicError::None),
        [nic] => Ok(nic.name.clone()),
        several => Err(NicError::Several(several.iter().map(|nic| nic.name.to_string()).collect())),
    }
}

/// The machine's Ethernet NICs: no bridges, taps, bonds or VLANs, and not loopback.
pub fn ethernet() -> Vec<Nic> {
    let Ok(entries) = fs::read_dir(CLASS_NET) else { return Vec::new() };
    let names = entries.filter_map(|entry| InterfaceName::new(entry.ok()?.file_name().into_string().ok()?).ok());
    let mut nics: Vec<Nic> = names
        .filter(|name| is_ethernet_nic(&Path::new(CLASS_NET).join(name.as_str())))
        .map(|name| Nic { addresses: addresses(&name), name })
        .collect();
    nics.sort_by(|a, b| a.name.cmp(&b.name));
    nics
}

/// A link's IPv4 addresses with their prefix lengths.
pub fn addresses(link: &InterfaceName) -> Vec<Ipv4Network> {
    let Ok(all) = getifaddrs() else { return Vec::new() };
    all.filter(|each| each.interface_name == link.as_str())
        .filter_map(|each| {
            let ip = each.address?.as_sockaddr_in()?.ip();
            let mask = each.netmask?.as_sockaddr_in()?.ip();
            Ipv4Network::with_netmask(ip, mask).ok()
        })
        .collect()
}

/// A link's MTU; `None` when there is no such link.
pub fn mtu(link: &InterfaceName) -> Option<Mtu> {
    let text = fs::read_to_string(Path::new(CLASS_NET).join(link.as_str()).join("mtu")).ok()?;
    Mtu::new(text.trim().parse().ok()?).ok()
}

/// A link's hardware address; `None` when there is no such link, or it has another kind of address.
pub fn mac(link: &InterfaceName) -> Option<[u8; 6]> {
    let text = fs::read_to_string(Path::new(CLASS_NET).join(link.as_str()).join("address")).ok()?;
    mac_of(text.trim())
}

/// A hardware address as `02:4c:0a:4d:01:05`.
pub fn mac_of(text: &str) -> Option<[u8; 6]> {
    let bytes: Option<Vec<u8>> = text.split(':').map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    bytes?.try_into().ok()
}

/// `ARPHRD_ETHER` without any of the directories that virtual kinds have. A veth end has none and counts: to a container
/// it is its NIC.
fn is_ethernet_nic(link: &Path) -> bool {
    let ethernet = fs::read_to_string(link.join("type")).is_ok_and(|kind| kind.trim() == "1");
    let virtual_kind = ["bridge", "tun_flags", "bonding", "brport"].iter().any(|kind| link.join(kind).exists());
    let uevent = fs::read_to_string(link.join("uevent")).unwrap_or_default();
    let typed = uevent.lines().any(|line| matches!(line, "DEVTYPE=vlan" | "DEVTYPE=vxlan" | "DEVTYPE=bridge"));
    ethernet && !virtual_kind && !typed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nic(name: &str, addresses: &[&str]) -> Nic {
        let addresses = addresses.iter().map(|a| a.parse().expect("an address")).collect();
        Nic { name: InterfaceName::new(name).expect("a name"), addresses }
    }

    const OURS: Ipv4Addr = Ipv4Addr::new(10, 77, 1, 1);

    #[test]
    fn the_only_nic_without_an_address_is_chosen() {
        let nics = [nic("eth0", &["192.0.2.7/24"]), nic("eth1", &[])];
        assert_eq!(choose(&nics, OURS), Ok(nics[1].name.clone()));
    }

    #[test]
    fn a_nic_that_has_our_address_already_is_chosen_again() {
        let nics = [nic("eth0", &[]), nic("eth1", &["10.77.1.1/16"])];
        assert_eq!(choose(&nics, OURS), Ok(nics[1].name.clone()));
    }

    #[test]
    fn no_choice_is_made_between_two() {
        let nics = [nic("eth0", &[]), nic("eth1", &[])];
        assert_eq!(choose(&nics, OURS), Err(NicError::Several(vec!["eth0".into(), "eth1".into()])));
        assert_eq!(choose(&nics[..0], OURS), Err(NicError::None));
    }
}
