//! The kernel's host name and NIS domain name, given back when the machine leaves.

use std::fs;
use std::io;
use std::path::Path;

use rustix::system::{setdomainname, sethostname};
use serde::{Deserialize, Serialize};

use crate::state::{State, StateError};

/// The two names that the kernel keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// `hostname`.
    pub host: String,
    /// `domainname`; `(none)` when there is none.
    pub domain: String,
}

/// The kernel refused a name.
#[derive(Debug, thiserror::Error)]
pub enum NamesError {
    /// Reading or setting it.
    #[error("{0}")]
    Kernel(&'static str, #[source] io::Error),
    /// Remembering the former ones.
    #[error(transparent)]
    State(#[from] StateError),
}

impl Names {
    /// The names that the kernel has now.
    pub fn current() -> Result<Self, NamesError> {
        let read = |path: &Path| {
            fs::read_to_string(path)
                .map(|text| text.trim_end().to_owned())
                .map_err(|e| NamesError::Kernel("reading the machine's names", e))
        };
        Ok(Self {
            host: read(Path::new("/proc/sys/kernel/hostname"))?,
            domain: read(Path::new("/proc/sys/kernel/domainname"))?,
        })
    }
}

/// Sets the host name, and the domain name when there is one to set. What was there before is written down first, once.
pub fn take(state: &State, host: &str, domain: Option<&str>) -> Result<(), NamesError> {
    let current = Names::current()?;
    if state.former_names()?.is_none() {
        state.keep_former_names(&current)?;
    }
    let domain = domain.unwrap_or(&current.domain);
    set(&current, &Names { host: host.into(), domain: domain.into() })
}

/// Gives both names back as they were before the first [`take`]; nothing when there was none.
pub fn give_back(state: &State) -> Result<(), NamesError> {
    if let Some(former) = state.former_names()? {
        set(&Names::current()?, &former)?;
        state.forget_former_names()?;
    }
    Ok(())
}

fn set(current: &Names, wanted: &Names) -> Result<(), NamesError> {
    if current.host != wanted.host {
        sethostname(wanted.host.as_bytes()).map_err(|e| NamesError::Kernel("setting the host name", e.into()))?;
    }
    if current.domain != wanted.domain {
        setdomainname(wanted.domain.as_bytes())
            .map_err(|e| NamesError::Kernel("setting the NIS domain name", e.into()))?;
    }
    Ok(())
}
