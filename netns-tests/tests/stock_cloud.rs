//! A Debian image that has never heard of Landbridge, and has none of the programs that a worker needs, becomes a worker in the cloud:
//! cloud-init's Ec2 source, over the metadata service, packages from a mirror, and a real job.

use std::time::Duration;

use netns_tests::LabResult;
use netns_tests::cloud::STOCK_AMI;
use netns_tests::ursa::Ursa;

/// By emulation a whole Debian takes two minutes; several times that on a machine that has other things to do.
const BOOT: Duration = Duration::from_mins(21);
const SOON: Duration = Duration::from_mins(2);

/// What ada's task says of the machine that it runs on, and of its tunnel.
const TASK: &str = "#!/bin/sh\necho $(hostname) $(id -un) $(stat -f -c %T $HOME) $(ypwhich)\ncut -c1-5 /sys/class/net/lbw-ursa/address\nudevadm info --query=property --property=ID_NET_LINK_FILE --value /sys/class/net/lbw-ursa\n";

#[test]
fn a_stock_image_joins_from_the_cloud_by_cloud_init_alone_and_runs_a_job() -> LabResult<()> {
    let ursa = Ursa::draw("stock-cloud")?;
    let cloud = ursa.open_cloud()?;
    let _mirror = ursa.open_mirror()?;
    let template = format!("NAME = stock\nCPU = 1\nMEMORY = 768\nEC2 = [ AMI = \"{STOCK_AMI}\" ]\n");
    ursa.frontend.write_file("/etc/landbridge/stock.one", template)?;
    ursa.landbridge("up").deadline(SOON).expect_ok()?;
    let boot = "worker boot --template /etc/landbridge/stock.one --name e1 --on ec2 --within 20m --wait 20m";
    let booted = ursa.landbridge(boot).deadline(BOOT).output()?;
    let console = cloud.consoles()?;
    assert_eq!(booted.status, 0, "{}{}\n{console}", booted.out(), booted.err());
    let packages = "openvpn nfs-common rpcbind ypbind-mt yp-tools libnss-nis libnss-extrausers gridengine-exec dma";
    assert!(console.contains(&format!("landbridge: installing {packages}")), "{console}");
    // There is no seed disk: what cloud-init runs it has from the metadata service.
    assert!(console.contains("landbridge: fetching landbridge-node from 198.51.100.1:7443"), "{console}");

    ursa.frontend.write_file("/home/ada/task.sh", TASK)?;
    ursa.as_ada(&ursa.frontend, "qsub -sync y -cwd -j y -o said task.sh")?;
    let said = ursa.as_ada(&ursa.frontend, "cat said")?;
    // How a hardware address begins that Landbridge gave, and by which file udev has left it alone.
    let tap = "02:4c\n/etc/systemd/network/10-landbridge-lbw-ursa.link";
    assert_eq!(said, format!("e1 ada nfs 10.77.0.1\n{tap}\n"));

    ursa.landbridge("worker destroy e1 --now --wait").deadline(BOOT).expect_ok()?;
    cloud.await_empty(SOON)?;
    assert_eq!(ursa.landbridge("audit").expect_ok()?, "nothing is left over\n");
    Ok(())
}
