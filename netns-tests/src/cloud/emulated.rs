//! An instance that is an emulated machine and starts from the stock image: nothing in it has ever heard of the lab. It asks for its
//! address, and takes itself for an instance by what its firmware says, as in EC2.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use landbridge::naming::Mac;

use super::api::Instance;
use crate::error::LabResult;
use crate::image::Image;
use crate::net::Network;
use crate::{Lab, Machine};

/// Where the emulator finds the image.
const IMAGE: &str = "/opt/stock";

/// Where it writes what the instance writes to its serial port.
const CONSOLE: &str = "/var/log/console";

/// The instance's card becomes a port of its host's own segment: the host is nothing but the cable.
const CABLE: &str = "ip link add br0 type bridge && ip link set eth0 master br0 && ip tuntap add tap0 mode tap && \
                     ip link set tap0 master br0 && ip link set br0 up && ip link set tap0 up && ip link set eth0 up";

/// Longer than any test.
const LIFE: Duration = Duration::from_hours(1);

/// A running one. Clones are the same.
#[derive(Clone)]
pub(super) struct Emulated {
    host: Machine,
    ended: Arc<AtomicBool>,
}

impl Emulated {
    /// Switches it on; the rest it does by itself.
    pub(super) fn start(lab: &Lab, network: &Network, instance: &Instance) -> LabResult<Self> {
        let (name, image) = (format!("host-of-{}", instance.id), Image::stock()?);
        let host = lab.machine(&name).nic("eth0", network, None).share(image.directory(), IMAGE).start()?;
        host.run(CABLE).expect_ok()?;
        let (qemu, ended) = (host.run(&command(instance)).spawn()?, Arc::new(AtomicBool::new(false)));
        let told = Arc::clone(&ended);
        std::thread::spawn(move || {
            // However it ended.
            let _ = qemu.wait(LIFE);
            told.store(true, Ordering::Relaxed);
        });
        Ok(Self { host, ended })
    }

    pub(super) fn is_up(&self) -> bool {
        !self.ended.load(Ordering::Relaxed)
    }

    pub(super) fn stop(&self) {
        self.host.stop();
    }

    /// What it wrote to its serial port.
    pub(super) fn console(&self) -> LabResult<String> {
        self.host.read_text(CONSOLE)
    }
}

/// Direct boot of the image's kernel; writes to the disk are thrown away.
fn command(instance: &Instance) -> String {
    let (mac, uuid) = (Mac::of(instance.address), uuid_of(&instance.id));
    format!(
        "exec qemu-system-x86_64 -machine pc -accel tcg -smp 2 -m 768 -display none -monitor none -no-reboot \
         -kernel {IMAGE}/vmlinuz -initrd {IMAGE}/initrd.img -append 'root=/dev/vda console=ttyS0' \
         -drive file={IMAGE}/disk.raw,format=raw,if=virtio,snapshot=on \
         -netdev tap,id=net0,ifname=tap0,script=no,downscript=no -device virtio-net-pci,netdev=net0,mac={mac} \
         -smbios type=1,manufacturer='Amazon EC2',serial={uuid},uuid={uuid} -serial file:{CONSOLE}"
    )
}

/// What EC2's instances are known by from inside: the firmware's UUID begins so. From EC2's user guide, "Identify EC2 instances".
fn uuid_of(id: &str) -> String {
    let digits = format!("ec2{:0<29.29}", id.trim_start_matches("i-"));
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_firmware_of_an_instance_says_ec2() {
        assert_eq!(uuid_of("i-0123456789abcdef0"), "ec201234-5678-9abc-def0-000000000000");
    }
}
