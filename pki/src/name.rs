//! Who a certificate is for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A machine's name in the cluster: one RFC 1123 label in lower case (letters, digits, inner hyphens), 1 to 63 bytes.
/// It is the certificate's common name, the host name in NIS and in the queue; unique in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(String);

impl NodeName {
    /// Checks `name` against RFC 1123, section 2.1.
    pub fn new(name: impl Into<String>) -> Result<Self, NodeNameError> {
        let name = name.into();
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let fits =
            (1..=63).contains(&name.len()) && name.chars().all(inner) && !name.starts_with('-') && !name.ends_with('-');
        if fits { Ok(Self(name)) } else { Err(NodeNameError(name)) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for NodeName {
    type Err = NodeNameError;

    fn from_str(s: &str) -> Result<Self, NodeNameError> {
        Self::new(s)
    }
}

impl TryFrom<String> for NodeName {
    type Error = NodeNameError;

    fn try_from(s: String) -> Result<Self, NodeNameError> {
        Self::new(s)
    }
}

impl From<NodeName> for String {
    fn from(name: NodeName) -> Self {
        name.0
    }
}

/// A text that is no machine name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no machine name: use 1 to 63 lower-case letters, digits and inner hyphens")]
pub struct NodeNameError(pub String);

/// What a certificate's owner is. It stands in the subject's organisational unit and in the extended key usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The front-end: OpenVPN server and join API (serverAuth).
    FrontEnd,
    /// A physical host (clientAuth).
    Host,
    /// A worker (clientAuth).
    Worker,
}

impl Role {
    /// The word in the subject's organisational unit.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FrontEnd => "front-end",
            Self::Host => "host",
            Self::Worker => "worker",
        }
    }
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(s: &str) -> Result<Self, RoleError> {
        [Self::FrontEnd, Self::Host, Self::Worker]
            .into_iter()
            .find(|role| role.as_str() == s)
            .ok_or_else(|| RoleError(s.to_owned()))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: front-end, host or worker")]
pub struct RoleError(pub String);
