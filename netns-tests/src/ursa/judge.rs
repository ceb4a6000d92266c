//! Questions that tests ask the cluster again and again.

use std::time::Duration;

use crate::{LabResult, Machine};

use super::{PATIENCE, Ursa};

impl Ursa {
    /// Runs a command as ada, the NIS user, in her home.
    pub fn as_ada(&self, machine: &Machine, command: &str) -> LabResult<String> {
        let quoted = command.replace('\'', r"'\''");
        machine.run(&format!("su - ada -c '{quoted}'")).deadline(PATIENCE).expect_ok()
    }

    /// A worker's state, as `worker show` says it.
    pub fn state(&self, worker: &str) -> LabResult<String> {
        Ok(self.ask(&format!("worker show {worker}"))?["state"].as_str().unwrap_or_default().to_owned())
    }

    /// A worker's address.
    pub fn address(&self, worker: &str) -> LabResult<String> {
        Ok(self.ask(&format!("worker show {worker}"))?["address"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits until a worker has the state.
    pub fn await_state(&self, worker: &str, state: &str, patience: Duration) -> LabResult<()> {
        let line = format!("landbridge worker show {worker} --output json | grep -q '\"state\": \"{state}\"'");
        self.frontend.wait_until(&line, patience).map(drop)
    }

    /// Waits until a host has the state.
    pub fn await_host(&self, host: &str, state: &str, patience: Duration) -> LabResult<()> {
        let line = format!("landbridge host show {host} --output json | grep -q '\"state\": \"{state}\"'");
        self.frontend.wait_until(&line, patience).map(drop)
    }

    /// A command of Grid Engine on the front-end.
    pub fn grid(&self, command: &str) -> LabResult<String> {
        self.frontend.run(command).deadline(PATIENCE).expect_ok()
    }
}
