//! Interface names that cannot be wrong.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A network interface's name, as the kernel accepts it: `dev_valid_name()` in `net/core/dev.c`.
///
/// At most 15 bytes (`IFNAMSIZ` less the terminating zero), not empty, neither `.` nor `..`, and without `/`, `:`,
/// `%` (which the kernel would expand to a number) or white space.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InterfaceName(String);

impl InterfaceName {
    /// The longest name in bytes.
    pub const MAX_LEN: usize = 15;

    /// Checks `name` against the kernel's rule.
    pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
        let name = name.into();
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > Self::MAX_LEN {
            return Err(NameError::TooLong { len: name.len(), name });
        }
        if name == "." || name == ".." {
            return Err(NameError::Reserved { name });
        }
        if let Some(bad) = name.chars().find(|c| c.is_whitespace() || c.is_control() || matches!(c, '/' | ':' | '%')) {
            return Err(NameError::Forbidden { name, bad });
        }
        Ok(Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for InterfaceName {
    type Err = NameError;

    fn from_str(s: &str) -> Result<Self, NameError> {
        Self::new(s)
    }
}

impl TryFrom<String> for InterfaceName {
    type Error = NameError;

    fn try_from(s: String) -> Result<Self, NameError> {
        Self::new(s)
    }
}

impl From<InterfaceName> for String {
    fn from(name: InterfaceName) -> Self {
        name.0
    }
}

/// Why a text is no interface name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty.
    #[error("an interface name can't be empty")]
    Empty,
    /// More than 15 bytes.
    #[error("interface name {name:?} has {len} bytes; the kernel takes at most 15")]
    TooLong {
        /// The text as given.
        name: String,
        /// Its length in bytes.
        len: usize,
    },
    /// `.` or `..`, which sysfs could not show.
    #[error("{name:?} can't be an interface name: it names a directory")]
    Reserved {
        /// The text as given.
        name: String,
    },
    /// A character that the kernel refuses.
    #[error("interface name {name:?} has a {bad:?}, which the kernel refuses")]
    Forbidden {
        /// The text as given.
        name: String,
        /// The first character that is refused.
        bad: char,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_bytes_are_a_name_and_sixteen_are_not() {
        assert!(InterfaceName::new("lb-ursa-bridge0").is_ok());
        assert_eq!(
            InterfaceName::new("lb-ursa-bridge00"),
            Err(NameError::TooLong { name: "lb-ursa-bridge00".into(), len: 16 })
        );
    }

    #[test]
    fn every_way_to_break_the_rule_is_refused() {
        for bad in ["", ".", "..", "a b", "a/b", "a:b", "eth%d", "tab\t", "übergroß-lang-é"] {
            assert!(InterfaceName::new(bad).is_err(), "{bad:?} was accepted");
        }
    }
}
