//! Reads as much of an Ethernet frame as the path's filters need.

use super::path::PathConfig;

const ETHERNET_HEADER_BYTES: usize = 14;
const UDP: u8 = 17;
const IPV6_FRAGMENT: u8 = 44;

/// What the filters want to know of an IP packet.
#[derive(Debug, PartialEq, Eq)]
struct Packet {
    /// Its protocol; of a fragment, the one of the whole.
    protocol: u8,
    is_fragment: bool,
    bytes: usize,
}

/// True if one of the path's filters stops the frame. What is no IP packet (ARP) always passes.
pub(crate) fn is_filtered(path: &PathConfig, frame: &[u8]) -> bool {
    parse(frame).is_some_and(|packet| {
        path.drop_udp && packet.protocol == UDP
            || path.drop_fragments && packet.is_fragment
            || path.mtu.is_some_and(|mtu| packet.bytes > mtu as usize)
    })
}

/// True if it asks or tells who has an address (RFC 826), which on a real long way crosses none of it: the nearest router
/// answers.
pub(crate) fn is_address_resolution(frame: &[u8]) -> bool {
    frame.get(12..14) == Some(&[0x08, 0x06])
}

fn parse(frame: &[u8]) -> Option<Packet> {
    let bytes = frame.len().checked_sub(ETHERNET_HEADER_BYTES)?;
    let packet = &frame[ETHERNET_HEADER_BYTES..];
    match frame[12..14] {
        [0x08, 0x00] => {
            // RFC 791: "more fragments" is bit 13 of the word at 6, the offset its lower 13 bits.
            let flags = u16::from_be_bytes([*packet.get(6)?, *packet.get(7)?]);
            Some(Packet { protocol: *packet.get(9)?, is_fragment: flags & 0x3fff != 0, bytes })
        }
        [0x86, 0xdd] => {
            let next = *packet.get(6)?;
            // RFC 8200: the fragment header comes right after the fixed one, and begins with the whole's protocol.
            let protocol = if next == IPV6_FRAGMENT { *packet.get(40)? } else { next };
            Some(Packet { protocol, is_fragment: next == IPV6_FRAGMENT, bytes })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ipv4(protocol: u8, fragment_word: u16, bytes: usize) -> Vec<u8> {
        let mut frame = vec![0; ETHERNET_HEADER_BYTES + bytes];
        frame[12..14].copy_from_slice(&[0x08, 0x00]);
        frame[20..22].copy_from_slice(&fragment_word.to_be_bytes());
        frame[23] = protocol;
        frame
    }

    #[test]
    fn only_udp_is_stopped_where_udp_is_blocked() {
        let path = PathConfig { drop_udp: true, ..PathConfig::default() };
        assert!(is_filtered(&path, &ipv4(UDP, 0, 100)));
        assert!(!is_filtered(&path, &ipv4(6, 0, 100)));
    }

    #[test]
    fn first_and_later_fragments_are_stopped_but_not_a_packet_that_must_not_be_fragmented() {
        let path = PathConfig { drop_fragments: true, ..PathConfig::default() };
        assert!(is_filtered(&path, &ipv4(UDP, 0x2000, 100)), "the first has only the flag");
        assert!(is_filtered(&path, &ipv4(UDP, 0x00b9, 100)), "the last has only the offset");
        assert!(!is_filtered(&path, &ipv4(UDP, 0x4000, 100)), "\"don't fragment\" is no fragment");
    }

    #[test]
    fn a_packet_of_the_mtu_passes_and_one_byte_more_does_not() {
        let path = PathConfig { mtu: Some(1400), ..PathConfig::default() };
        assert!(!is_filtered(&path, &ipv4(6, 0, 1400)));
        assert!(is_filtered(&path, &ipv4(6, 0, 1401)));
    }

    #[test]
    fn arp_and_torn_frames_pass() {
        let path = PathConfig { drop_udp: true, drop_fragments: true, mtu: Some(10), ..PathConfig::default() };
        let mut arp = vec![0; 60];
        arp[12..14].copy_from_slice(&[0x08, 0x06]);
        assert!(is_address_resolution(&arp) && !is_filtered(&path, &arp));
        assert!(!is_address_resolution(&[0; 5]) && !is_filtered(&path, &[0; 5]));
    }
}
