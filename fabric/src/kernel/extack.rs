//! The kernel's own words, out of an extended acknowledgement (`NETLINK_EXT_ACK`).

use rtnetlink::packet_core::ErrorMessage;

use crate::Refusal;

/// `NLM_F_CAPPED`: only the request's header is repeated, not its payload.
const CAPPED: u16 = 0x100;
/// `NLM_F_ACK_TLVS`: attributes follow.
const ACK_TLVS: u16 = 0x200;
/// `NLMSGERR_ATTR_MSG`: the attribute that holds the text.
const ATTRIBUTE_TEXT: u16 = 1;
/// `struct nlmsghdr`.
const HEADER: usize = 16;

/// The refusal that an error message with these header flags tells of.
pub(super) fn refusal(flags: u16, error: &ErrorMessage) -> Refusal {
    let message = (flags & ACK_TLVS != 0).then(|| text(flags, &error.header)).flatten();
    Refusal::Kernel { message, errno: error.raw_code().abs() }
}

/// `echo`: the repeated request (its header at least), then the attributes.
fn text(flags: u16, echo: &[u8]) -> Option<String> {
    let repeated = if flags & CAPPED != 0 { HEADER } else { read_u32(echo)? };
    let mut rest = echo.get(align(repeated)..)?;
    while rest.len() >= 4 {
        let length = usize::from(u16::from_ne_bytes([rest[0], rest[1]]));
        let kind = u16::from_ne_bytes([rest[2], rest[3]]);
        let value = rest.get(4..length)?;
        if kind == ATTRIBUTE_TEXT {
            return Some(String::from_utf8_lossy(value).trim_end_matches('\0').to_owned());
        }
        rest = rest.get(align(length)..).unwrap_or_default();
    }
    None
}

fn read_u32(bytes: &[u8]) -> Option<usize> {
    let bytes = bytes.get(..4)?.try_into().ok()?;
    usize::try_from(u32::from_ne_bytes(bytes)).ok()
}

fn align(length: usize) -> usize {
    length.div_ceil(4) * 4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + value.len()).expect("short");
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(value);
        bytes.resize(align(bytes.len()), 0);
        bytes
    }

    fn request(length: u32) -> Vec<u8> {
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.resize(length as usize, 7);
        bytes
    }

    #[test]
    fn the_text_is_found_behind_a_capped_request_and_other_attributes() {
        let echo = [request(16), attribute(2, &[1, 2, 3, 4]), attribute(1, b"No such thing\0")].concat();
        assert_eq!(text(CAPPED | ACK_TLVS, &echo).as_deref(), Some("No such thing"));
    }

    #[test]
    fn the_text_is_found_behind_a_whole_request() {
        let echo = [request(36), attribute(1, b"No such thing\0")].concat();
        assert_eq!(text(ACK_TLVS, &echo).as_deref(), Some("No such thing"));
    }

    #[test]
    fn nonsense_lengths_give_no_text_and_no_panic() {
        for length in [0_u16, 1, 3, 5, 9000] {
            let mut echo = request(16);
            echo.extend([length.to_ne_bytes(), 2_u16.to_ne_bytes()].concat());
            assert_eq!(text(CAPPED, &echo), None);
        }
        assert_eq!(text(0, &[1]), None);
    }
}
