//! The daemon, killed between the steps of one request: where a real libvirt has made a disk and no machine yet, or EC2's API a
//! security group and no instance. It goes on with what is there: one machine, then none, and nothing else is left.

use std::time::Instant;

use netns_tests::LabResult;
use netns_tests::cloud::Cloud;
use netns_tests::ursa::{Ursa, hollow};

use super::boot::{boot, destroy};

const TEMPLATE: &str = "/etc/landbridge/hollow.toml";
const DOMAINS: &str = "virsh --connect qemu:///system list --all --name";

/// Where machines come and go.
enum Place {
    Libvirt,
    Cloud(Box<Cloud>),
}

#[test]
fn a_host_with_libvirt_has_one_machine_and_then_none_whenever_the_daemon_dies() -> LabResult<()> {
    let ursa = Ursa::draw_with_libvirt("crash-libvirt")?;
    prepare(&ursa)?;
    ursa.up_with_libvirt()?;
    sweep(&ursa, &Place::Libvirt)
}

#[test]
fn a_cloud_has_one_machine_and_then_none_whenever_the_daemon_dies() -> LabResult<()> {
    let ursa = Ursa::draw("crash-ec2")?;
    let cloud = ursa.open_cloud()?;
    prepare(&ursa)?;
    ursa.landbridge("up").expect_ok()?;
    sweep(&ursa, &Place::Cloud(Box::new(cloud)))
}

/// Whatever has no part in it is left out: the front-end is brought up twice a moment.
fn prepare(ursa: &Ursa) -> LabResult<()> {
    let is_service = |line: &&str| line.starts_with("nfs") || line.starts_with("nis");
    ursa.edit_file(|file| file.lines().filter(|line| !is_service(line)).flat_map(|l| [l, "\n"]).collect())?;
    ursa.frontend.write_file(TEMPLATE, hollow())
}

fn sweep(ursa: &Ursa, place: &Place) -> LabResult<()> {
    let (host, mut swept) = (place.host(), (0, 0));
    for at in 0.. {
        let begun = Instant::now();
        let name = format!("w{at}");
        let asked = format!("--template {TEMPLATE} --on {host}");
        let has_come = format!("landbridge worker show {name} --output json | grep -q '\"state\": \"booting\"'");
        let boot_died = boot(ursa, &name, &asked, &has_come, at)?;
        assert_eq!(place.machines(ursa)?, 1, "moment {at}");
        let destroy_died = destroy(ursa, &name, at)?;
        assert_eq!(ursa.state(&name)?, "gone");
        assert_eq!(place.machines(ursa)?, 0, "moment {at}");
        place.has_nothing_else(ursa)?;
        println!("{host}, moment {at}: {:.1} s", begun.elapsed().as_secs_f64());
        swept = (swept.0 + usize::from(boot_died), swept.1 + usize::from(destroy_died));
        if !boot_died && !destroy_died {
            break;
        }
    }
    println!("{host}: {} moments of booting, {} of going", swept.0, swept.1);
    assert!(swept.0 > 8 && swept.1 > 8, "too few for a daemon and a provider: {swept:?}");
    Ok(())
}

impl Place {
    fn host(&self) -> &'static str {
        match self {
            Self::Libvirt => "ursa01",
            Self::Cloud(_) => "ec2",
        }
    }

    /// How many machines the host says it has.
    fn machines(&self, ursa: &Ursa) -> LabResult<usize> {
        Ok(match self {
            Self::Libvirt => ursa.hosts[0].run(DOMAINS).expect_ok()?.split_whitespace().count(),
            Self::Cloud(cloud) => cloud.states()?.iter().filter(|state| *state != "terminated").count(),
        })
    }

    /// No disk, no storage pool, no security group.
    fn has_nothing_else(&self, ursa: &Ursa) -> LabResult<()> {
        match self {
            Self::Libvirt => {
                let pools = ursa.hosts[0].run("virsh --connect qemu:///system pool-list --all --name").expect_ok()?;
                let volumes = ursa.hosts[0].run("ls /var/lib/libvirt/images").expect_ok()?;
                assert_eq!((pools.trim(), volumes.trim()), ("", ""));
            }
            Self::Cloud(cloud) => {
                let ours = [("Filter.1.Name", "tag-key"), ("Filter.1.Value.1", "landbridge:cluster")];
                let groups = cloud.ask("DescribeSecurityGroups", &ours)?;
                assert!(!groups.contains("<groupId>"), "a security group is left: {groups}");
            }
        }
        Ok(())
    }
}
