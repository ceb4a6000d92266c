//! Whole Debian machines become workers: real libvirt, real cloud-init or a golden image's own unit, a real job.

use std::time::Duration;

use netns_tests::LabResult;
use netns_tests::ursa::Ursa;

/// By emulation, on a machine that has other things to do, a whole Debian takes one to four minutes.
const BOOT: Duration = Duration::from_mins(10);

/// What ada's task says of the machine that it runs on.
const TASK: &str = "#!/bin/sh\necho $(hostname) $(id -un) $(stat -f -c %T $HOME) $(ypwhich)\n";

/// What a person does to the stock image, on a host that has it.
const GILD: &str = "cp --sparse=always /opt/images/disk.raw /opt/golden.raw && \
    /opt/source/scripts/golden-image /opt/golden.raw /opt/landbridge/bin/landbridge-node";

#[test]
fn a_stock_image_joins_by_cloud_init_alone_and_runs_a_job() -> LabResult<()> {
    let ursa = Ursa::with_libvirt("stock")?;
    let console = works_and_leaves_nothing(&ursa, "/etc/landbridge/stock.one")?;
    assert!(console.contains("landbridge: fetching landbridge-node from 10.77.0.1:7443"), "{console}");
    Ok(())
}

#[test]
fn a_golden_image_joins_by_its_own_unit_before_cloud_init_has_begun() -> LabResult<()> {
    let ursa = Ursa::with_libvirt("golden")?;
    ursa.hosts[0].run(GILD).deadline(BOOT).expect_ok()?;
    let template = ursa.frontend.read_text("/etc/landbridge/stock.one")?;
    ursa.frontend
        .write_file("/etc/landbridge/golden.one", template.replace("/opt/images/disk.raw", "/opt/golden.raw"))?;
    let console = works_and_leaves_nothing(&ursa, "/etc/landbridge/golden.one")?;
    assert!(!console.contains("landbridge: fetching landbridge-node"), "{console}");
    Ok(())
}

/// Boots a worker, has it do ada's task, and takes it away; what its machine wrote to its console until it was ready.
fn works_and_leaves_nothing(ursa: &Ursa, template: &str) -> LabResult<String> {
    let host = &ursa.hosts[0];
    let boot = format!("worker boot --template {template} --name w1 --on ursa01 --wait 9m");
    let booted = ursa.landbridge(&boot).deadline(BOOT).output()?;
    let console = host.run("cat /var/lib/libvirt/images/landbridge-ursa/*.console").output()?.out();
    assert_eq!(booted.status, 0, "{}{}\n{console}", booted.out(), booted.err());
    println!("{}", ursa.landbridge("worker show w1").expect_ok()?);

    ursa.frontend.write_file("/home/ada/task.sh", TASK)?;
    ursa.as_ada(&ursa.frontend, "qsub -sync y -cwd -j y -o said task.sh")?;
    let said = ursa.as_ada(&ursa.frontend, "cat said")?;
    assert_eq!(said, "w1 ada nfs 10.77.0.1\n");

    ursa.landbridge("worker destroy w1 --now --wait").expect_ok()?;
    assert_eq!(host.run("virsh --connect qemu:///system list --all --name").expect_ok()?.trim(), "");
    assert_eq!(host.run("ls /var/lib/libvirt/images").expect_ok()?, "");
    Ok(console)
}
