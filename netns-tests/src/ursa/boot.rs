//! Machines on request: a hypervisor on each physical host beside the cloud.

use super::{PATIENCE, Ursa};
use crate::LabResult;
use crate::cloud::Cloud;
use crate::hypervisor::{DRIVER, Hypervisor};

/// Who makes the cluster's machines. Dropped before the cluster, it makes no more.
pub struct Makers {
    /// Of the physical hosts.
    pub hypervisor: Hypervisor,
    /// Of the cloud.
    pub cloud: Cloud,
}

impl Ursa {
    /// Opens the hypervisors and the cloud, and tells the front-end of them. Before the first `up`.
    ///
    /// # Errors
    /// Something is missing, or the kernel refused.
    pub fn open_makers(&self) -> LabResult<Makers> {
        let hypervisor = Hypervisor::start(&self.lab, &self.frontend)?;
        let cloud = self.open_cloud()?;
        let driver = format!("driver = \"{DRIVER}\"\ncpus = 8");
        self.edit_file(|file| file.replace("cpus = 8", &driver))?;
        Ok(Makers { hypervisor, cloud })
    }

    /// Draws it with its makers, brings the front-end up and enrols both hosts.
    ///
    /// # Errors
    /// As [`Ursa::up`] and [`Ursa::open_makers`].
    pub fn up_with_makers(name: &str) -> LabResult<(Makers, Self)> {
        let ursa = Self::draw(name)?;
        let makers = ursa.open_makers()?;
        ursa.landbridge("up").deadline(PATIENCE).expect_ok()?;
        for host in &ursa.hosts {
            ursa.enrol(host)?;
            host.wait_until("ip link show lbbr-ursa", PATIENCE)?;
        }
        Ok((makers, ursa))
    }
}
