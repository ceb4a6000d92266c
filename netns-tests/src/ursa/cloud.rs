//! The cluster's cloud, with an API that makes its instances.

use std::net::Ipv4Addr;

use landbridge::template::EXAMPLE;

use crate::cloud::{Cloud, Site};
use crate::image::Image;
use crate::{LabResult, Machine, Running};

use super::{PATIENCE, Ursa};

/// The worker of 2008, for a local host and for EC2, unchanged; on the front-end.
pub const TEMPLATE: &str = "/etc/landbridge/sge_workernode.one";

/// Made up: moto believes everybody.
const CREDENTIALS: &str = "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = example\n";

impl Ursa {
    /// Opens the cloud and tells the front-end of it: its address and subnet in the cluster's file, and credentials where a
    /// person has them. Before the first `up`.
    ///
    /// # Errors
    /// moto is missing, or the lab is.
    pub fn open_cloud(&self) -> LabResult<Cloud> {
        let site = Site {
            internet: &self.internet,
            api: Ipv4Addr::new(198, 51, 100, 20),
            network: &self.cloud,
            subnet: "203.0.113.0/24",
            reaches: "198.51.100.0/24",
        };
        let cloud = Cloud::open(&self.lab, &site)?;
        let place = format!("workers = 5, endpoint = \"{}\", subnet = \"{}\"", cloud.endpoint(), cloud.subnet());
        self.edit_file(|file| file.replace("workers = 5", &place))?;
        self.frontend.write_file_with_mode("/root/.aws/credentials", CREDENTIALS, 0o600)?;
        self.frontend.write_file(TEMPLATE, EXAMPLE)?;
        Ok(cloud)
    }
    /// Opens a mirror of Debian on the internet, with what the stock image lacks of a worker's packages. It serves while what is
    /// returned lives.
    ///
    /// # Errors
    /// The stock image is missing.
    pub fn open_mirror(&self) -> LabResult<(Machine, Running)> {
        let image = Image::stock()?;
        let machine = self.lab.machine("mirror").nic("eth0", &self.internet, "198.51.100.80/24");
        let machine =
            machine.route("203.0.113.0/24", "eth0").share(image.directory().join("mirror"), "/opt/mirror").start()?;
        let server = machine.run("exec python3 -m http.server --directory /opt/mirror 80").spawn()?;
        machine.wait_for_tcp((Ipv4Addr::new(198, 51, 100, 80), 80).into(), PATIENCE)?;
        Ok((machine, server))
    }
}
