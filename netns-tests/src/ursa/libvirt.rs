//! A physical host with a real libvirt, which the front-end reaches over SSH, and machines that start from the prepared image: on
//! the vLAN there is no mirror.

use std::path::Path;
use std::sync::Arc;

use super::{PATIENCE, Ursa};
use crate::cloud::BARE_AMI;
use crate::image::Image;
use crate::{Lab, LabResult, Machine};

/// Where a host has the image.
const IMAGES: &str = "/opt/images";

/// As a small host would have it: no account of QEMU's own, no cgroups, no security module.
const QEMU_CONF: &str = "user = \"root\"\ngroup = \"root\"\nsecurity_driver = \"none\"\n\
                         cgroup_controllers = []\nremember_owner = 0\nnamespaces = []\n";

/// What the image's workers are, in OpenNebula's words.
const TEMPLATE: &str = r#"
NAME   = stock
CPU    = 2
MEMORY = 768
OS     = [ KERNEL = "/opt/images/vmlinuz", INITRD = "/opt/images/initrd.img", ROOT = "vda" ]
DISK   = [ SOURCE = "/opt/images/disk.raw", TARGET = "vda" ]
"#;

/// A template of a machine with an empty disk, for libvirt and the cloud: it runs, and that is all.
pub fn hollow() -> String {
    format!(
        "name = \"hollow\"\ncpu = 1\nmemory = \"128 MiB\"\n[[disk]]\nempty = \"16 MiB\"\ntarget = \"vda\"\n\
         [ec2]\nami = \"{BARE_AMI}\"\n"
    )
}

impl Ursa {
    /// Draws it with the prepared image on every host, brings the front-end up, and enrols the first host, which has a libvirt.
    ///
    /// # Errors
    /// Something is missing, or doesn't come up.
    pub fn with_libvirt(name: &str) -> LabResult<Self> {
        let ursa = Self::draw_with_libvirt(name)?;
        ursa.up_with_libvirt()?;
        Ok(ursa)
    }

    /// Draws it with the prepared image on every host; the first has a libvirt.
    ///
    /// # Errors
    /// Something is missing, or doesn't come up.
    pub fn draw_with_libvirt(name: &str) -> LabResult<Self> {
        let image = Image::prepared()?;
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/"));
        let ursa = Self::draw_with(Arc::new(Lab::new(name)?), |host| {
            let host = host.share(image.directory(), IMAGES);
            // What a person who makes an image needs of ours.
            ["scripts", "node"]
                .iter()
                .fold(host, |host, part| host.share(source.join(part), format!("/opt/source/{part}")))
        })?;
        let host = &ursa.hosts[0];
        let underlay = "underlay = \"192.0.2.11\"";
        let libvirt = "libvirt = \"qemu+ssh://root@192.0.2.11/system\"";
        ursa.edit_file(|file| file.replace(underlay, &format!("{underlay}\n{libvirt}")))?;
        ursa.frontend.write_file("/etc/landbridge/stock.one", TEMPLATE)?;
        ursa.let_in_by_ssh(host)?;
        start_libvirt(host)?;
        Ok(ursa)
    }

    /// Brings the front-end up, and enrols the host with a libvirt.
    ///
    /// # Errors
    /// Something doesn't come up.
    pub fn up_with_libvirt(&self) -> LabResult<()> {
        let host = &self.hosts[0];
        self.landbridge("up").deadline(PATIENCE).expect_ok()?;
        self.enrol(host)?;
        host.wait_until("ip link show lbbr-ursa", PATIENCE).map(drop)
    }

    /// The front-end's root may log in on a host, and knows it.
    fn let_in_by_ssh(&self, host: &Machine) -> LabResult<()> {
        self.frontend.run("ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519").expect_ok()?;
        let key = self.frontend.read_text("/root/.ssh/id_ed25519.pub")?;
        host.write_file_with_mode("/root/.ssh/authorized_keys", key, 0o600)?;
        host.run("chmod 700 /root /root/.ssh && ssh-keygen -A && mkdir -p /run/sshd && /usr/sbin/sshd").expect_ok()?;
        let host_key = host.read_text("/etc/ssh/ssh_host_ed25519_key.pub")?;
        self.frontend.write_file("/root/.ssh/known_hosts", format!("192.0.2.11 {host_key}"))
    }
}

/// Starts what a host of libvirt has running, and makes what its packages would have made.
fn start_libvirt(host: &Machine) -> LabResult<()> {
    host.run("id libvirt-qemu 2>/dev/null || useradd --system --no-create-home libvirt-qemu").expect_ok()?;
    host.write_file("/etc/libvirt/qemu.conf", QEMU_CONF)?;
    host.run("mkdir -p /var/lib/libvirt/images /var/log/libvirt/qemu").expect_ok()?;
    host.run("virtlogd --daemon && libvirtd --daemon").deadline(PATIENCE).expect_ok()?;
    host.wait_until("virsh --connect qemu:///system version", PATIENCE).map(drop)
}
