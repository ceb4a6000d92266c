//! A certificate's serial number.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A serial number of ours: 128 bits, positive (RFC 5280, section 4.1.2.2, allows 20 octets).
///
/// As text it is decimal, because OpenVPN's `crl-verify DIR dir` looks for a file of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Serial(u128);

impl Serial {
    /// The number behind big-endian bytes, as they stand in a certificate; `None` for zero and for more than 128 bits.
    pub fn from_be_bytes(bytes: &[u8]) -> Option<Self> {
        let digits = &bytes[bytes.iter().position(|&b| b != 0)?..];
        let mut whole = [0; 16];
        whole.get_mut(16_usize.checked_sub(digits.len())?..)?.copy_from_slice(digits);
        Some(Self(u128::from_be_bytes(whole)))
    }

    /// Its big-endian bytes without sign; the DER writer adds a zero octet where the top bit is set.
    pub fn to_be_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}

impl FromStr for Serial {
    type Err = SerialError;

    /// Only the canonical form: as a file name, `007` would be another serial than `7`.
    fn from_str(text: &str) -> Result<Self, SerialError> {
        let refused = || SerialError(text.to_owned());
        let number: u128 = text.parse().map_err(|_| refused())?;
        if number != 0 && number.to_string() == text { Ok(Self(number)) } else { Err(refused()) }
    }
}

impl TryFrom<String> for Serial {
    type Error = SerialError;

    fn try_from(text: String) -> Result<Self, SerialError> {
        text.parse()
    }
}

impl From<Serial> for String {
    fn from(serial: Serial) -> Self {
        serial.to_string()
    }
}

/// A text that is no serial number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no serial number of this cluster: it should be decimal, up to 39 digits, without leading zeros")]
pub struct SerialError(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_with_and_without_a_sign_octet_are_the_same_number() {
        let top_bit = [0xff; 16];
        let signed = [&[0][..], &top_bit].concat();
        assert_eq!(Serial::from_be_bytes(&signed), Serial::from_be_bytes(&top_bit));
        assert_eq!(Serial::from_be_bytes(&signed), Some(Serial(u128::MAX)));
        assert_eq!(Serial::from_be_bytes(&[7]).map(Serial::to_be_bytes).and_then(|b| b.last().copied()), Some(7));
    }

    #[test]
    fn zero_and_more_than_128_bits_are_no_serials() {
        assert_eq!(Serial::from_be_bytes(&[0, 0]), None);
        assert_eq!(Serial::from_be_bytes(&[1; 17]), None);
    }

    #[test]
    fn only_the_canonical_decimal_form_is_accepted() {
        assert_eq!("7".parse(), Ok(Serial(7)));
        for text in ["", "0", "007", "+7", "-7", "0x7", "7 ", "340282366920938463463374607431768211456"] {
            assert!(text.parse::<Serial>().is_err(), "{text:?} was accepted");
        }
    }
}
