//! The physical hosts' hypervisor in the lab: what a driver of cluster.toml asks for becomes a user-mode-linux machine.
//!
//! The driver is a program on the front-end (`landbridge-lab-driver`). It hands its question to the lab, which makes the machines,
//! through a socket in the front-end's network namespace: no file is left behind, however the lab ends.

mod door;
mod guests;

use std::sync::Arc;

use crate::error::{LabResult, io_error};
use crate::lab::Lab;
use crate::machine::Machine;

use door::Door;
use guests::Guests;

pub use door::ask;

/// Where the front-end finds the driver: beside our own programs.
pub const DRIVER: &str = "/opt/landbridge/bin/landbridge-lab-driver";

/// Makes machines on the hosts for as long as it lives; the machines live as long as the lab.
pub struct Hypervisor {
    _door: Door,
}

impl Hypervisor {
    /// Answers the drivers of `frontend`; a host is one of the lab's machines, by its name.
    ///
    /// # Errors
    /// The kernel refused the socket.
    pub fn start(lab: &Arc<Lab>, frontend: &Machine) -> LabResult<Self> {
        let guests = Guests::new(Arc::downgrade(lab));
        let door =
            Door::open(frontend, guests).map_err(io_error("opening the hypervisor's door on", frontend.name()))?;
        Ok(Self { _door: door })
    }
}
