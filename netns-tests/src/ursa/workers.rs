//! Workers that join the cluster, the way a person makes them join.

use crate::{Finished, LabResult, Machine};

use super::{PATIENCE, Ursa};

/// How a worker joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `--via tunnel`.
    Tunnel,
    /// `--via bridge`.
    Bridge,
}

impl Way {
    fn word(self) -> &'static str {
        match self {
            Self::Tunnel => "tunnel",
            Self::Bridge => "bridge",
        }
    }
}

impl Ursa {
    /// Plans a worker and gives its token's text.
    pub fn token(&self, name: &str, way: Way, on: &str) -> LabResult<String> {
        let offer = self.ask(&format!("token create --name {name} --via {} --on {on}", way.word()))?;
        Ok(offer["token"].as_str().unwrap_or_default().to_owned())
    }

    /// Runs the per-worker join command to its end, whatever that is.
    pub fn try_join(&self, machine: &Machine, way: Way, token: &str) -> LabResult<Finished> {
        let command = format!("landbridge-node join --via {} --token-stdin", way.word());
        machine.run(&command).stdin(token).deadline(PATIENCE).output()
    }

    /// Makes a machine a worker of its own name; its end is `ready`.
    pub fn join(&self, machine: &Machine, way: Way, on: &str) -> LabResult<String> {
        let token = self.token(machine.name(), way, on)?;
        self.join_with(machine, way, &token)
    }

    /// Makes a machine the worker of that token.
    pub fn join_with(&self, machine: &Machine, way: Way, token: &str) -> LabResult<String> {
        let command = format!("landbridge-node join --via {} --token-stdin", way.word());
        machine.run(&command).stdin(token).deadline(PATIENCE).expect_ok()
    }
}
