//! A Debian image that has never heard of Landbridge becomes a worker: real libvirt, real cloud-init, a real job.

use std::time::Duration;

use netns_tests::LabResult;
use netns_tests::ursa::Ursa;

/// By emulation, on a machine that has other things to do, a whole Debian takes one to four minutes.
const BOOT: Duration = Duration::from_mins(10);

/// What ada's task says of the machine that it runs on.
const TASK: &str = "#!/bin/sh\necho $(hostname) $(id -un) $(stat -f -c %T $HOME) $(ypwhich)\n";

#[test]
fn a_stock_image_joins_by_cloud_init_alone_and_runs_a_job() -> LabResult<()> {
    let ursa = Ursa::with_libvirt("stock")?;
    let boot = "worker boot --template /etc/landbridge/stock.one --name w1 --on ursa01 --wait 9m";
    let booted = ursa.landbridge(boot).deadline(BOOT).output()?;
    let console = ursa.hosts[0].run("cat /var/lib/libvirt/images/landbridge-ursa/*.console").output()?.out();
    assert_eq!(booted.status, 0, "{}{}\n{console}", booted.out(), booted.err());
    assert!(console.contains("landbridge: fetching landbridge-node from 10.77.0.1:7443"), "{console}");

    ursa.frontend.write_file("/home/ada/task.sh", TASK)?;
    ursa.as_ada(&ursa.frontend, "qsub -sync y -cwd -j y -o said task.sh")?;
    let said = ursa.as_ada(&ursa.frontend, "cat said")?;
    assert_eq!(said, "w1 ada nfs 10.77.0.1\n");

    ursa.landbridge("worker destroy w1 --now --wait").expect_ok()?;
    let host = &ursa.hosts[0];
    assert_eq!(host.run("virsh --connect qemu:///system list --all --name").expect_ok()?.trim(), "");
    assert_eq!(host.run("ls /var/lib/libvirt/images").expect_ok()?, "");
    Ok(())
}
