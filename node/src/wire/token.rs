//! The join token, as a person copies it.

use std::fmt;
use std::net::SocketAddrV4;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ipnetwork::Ipv4Network;

/// A join token: where to go, whom to trust there, and the secret that is worth one join within minutes.
///
/// As text: `lb1,ENDPOINT,PIN,SECRET[,ADDRESS]`. PIN is the SHA-256 of the authority's SubjectPublicKeyInfo (DER), SECRET
/// 32 random bytes, both base64url without padding. ADDRESS (with prefix length) is there for a worker that has to
/// configure its NIC on a bridge before it can reach anybody.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The API's address and port.
    pub endpoint: SocketAddrV4,
    /// The SHA-256 of the authority's SubjectPublicKeyInfo.
    pub pin: [u8; 32],
    /// The secret; the front-end keeps only its SHA-256.
    pub secret: [u8; 32],
    /// The address to take before the first contact.
    pub address: Option<Ipv4Network>,
}

impl Token {
    /// The secret as it stands in a join request.
    pub fn secret_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.secret)
    }

    /// The token as a person copies it. The only way to get it as text: `Debug` shows no secret.
    pub fn reveal(&self) -> String {
        let pin = URL_SAFE_NO_PAD.encode(self.pin);
        let address = self.address.map(|a| format!(",{a}")).unwrap_or_default();
        format!("lb1,{},{pin},{}{address}", self.endpoint, self.secret_text())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("endpoint", &self.endpoint)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let parts: Vec<&str> = text.trim().split(',').collect();
        let (endpoint, pin, secret, address) = match parts.as_slice() {
            ["lb1", endpoint, pin, secret] => (endpoint, pin, secret, None),
            ["lb1", endpoint, pin, secret, address] => (endpoint, pin, secret, Some(address)),
            _ => return Err(TokenError::Shape),
        };
        Ok(Self {
            endpoint: endpoint.parse().map_err(|_| TokenError::Endpoint)?,
            pin: bytes(pin).ok_or(TokenError::Pin)?,
            secret: bytes(secret).ok_or(TokenError::Secret)?,
            address: address.map(|a| a.parse().map_err(|_| TokenError::Address)).transpose()?,
        })
    }
}

fn bytes(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// Why a text is no token. It never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not `lb1` with three or four more parts.
    #[error("this is no join token: it should look like lb1,ADDRESS:PORT,…,… (was it copied whole?)")]
    Shape,
    /// The second part.
    #[error("the token's front-end is no ADDRESS:PORT")]
    Endpoint,
    /// The third part.
    #[error("the token's authority hash is damaged: it should be 43 characters (was it copied whole?)")]
    Pin,
    /// The fourth part.
    #[error("the token's secret is damaged: it should be 43 characters (was it copied whole?)")]
    Secret,
    /// The fifth part.
    #[error("the token's address is no ADDRESS/PREFIX")]
    Address,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token {
            endpoint: "198.51.100.1:7443".parse().expect("an endpoint"),
            pin: [7; 32],
            secret: [9; 32],
            address: Some("10.77.1.1/16".parse().expect("an address")),
        }
    }

    #[test]
    fn a_token_survives_being_copied() {
        assert_eq!(format!(" {}\n", token().reveal()).parse(), Ok(token()));
    }

    #[test]
    fn debug_shows_no_secret() {
        assert!(!format!("{:?}", token()).contains(&token().secret_text()));
    }

    #[test]
    fn a_token_cut_short_says_so() {
        let text = token().reveal();
        assert_eq!(text[..60].parse::<Token>(), Err(TokenError::Shape));
        assert_eq!("hello".parse::<Token>(), Err(TokenError::Shape));
    }
}
