//! Names of NICs that are to carry the vLAN.

use landbridge_fabric::InterfaceName;

use crate::reading::{Placed, Sink};
use crate::spec::Code;

/// A NIC's name: one that the kernel can give, and that we don't.
pub(super) fn check(name: &Placed<String>, sink: &Sink<'_>) -> Option<InterfaceName> {
    let nic = match InterfaceName::new(name.value.as_str()) {
        Ok(nic) => nic,
        Err(wrong) => {
            let hint = "name a NIC that every member has, as `ip link` shows it, for example \"eth1\"";
            sink.error(Code::NicIllFormed, &name.span, wrong.to_string(), hint);
            return None;
        }
    };
    if is_ours(&name.value) {
        let message = format!("{:?} is a name that Landbridge gives to its own interfaces", name.value);
        sink.error(Code::NicOurs, &name.span, message, "name the NIC towards the other members, for example \"eth1\"");
        return None;
    }
    if name.value == "lo" {
        let hint = "name the NIC towards the other members, for example \"eth1\"";
        sink.error(Code::NicLoopback, &name.span, "the loopback interface leads to no other member", hint);
        return None;
    }
    Some(nic)
}

/// Whether a name looks like one of `crate::naming`'s, of whatever cluster.
fn is_ours(name: &str) -> bool {
    let Some((prefix, _)) = name.split_once('-') else { return false };
    match prefix.strip_prefix("lb") {
        Some("br" | "vx" | "vl" | "w") => true,
        Some(tap) => tap.strip_prefix('t').is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit())),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::naming;
    use crate::spec::ClusterName;

    #[test]
    fn every_name_of_the_table_is_recognised_as_ours() {
        let cluster = ClusterName::new("ursa").expect("a name");
        for name in [
            naming::bridge(&cluster),
            naming::vxlan(&cluster),
            naming::vlan(&cluster),
            naming::server_tap(0, &cluster),
            naming::server_tap(9, &cluster),
            naming::worker_tap(&cluster),
        ] {
            assert!(is_ours(name.as_str()), "{name}");
        }
    }

    #[test]
    fn a_nic_of_others_is_not_ours() {
        for name in ["eth1", "enp3s0f0", "lb", "lbx-ursa", "lbt10-u", "br-lan"] {
            assert!(!is_ours(name), "{name}");
        }
    }
}
