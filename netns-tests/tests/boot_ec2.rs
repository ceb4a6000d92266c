//! A worker in EC2, from a template to a job on it, and back to nothing.

use std::time::Duration;

use netns_tests::LabResult;
use netns_tests::ursa::{TEMPLATE, Ursa};

const SOON: Duration = Duration::from_mins(2);

#[test]
fn a_template_becomes_a_ready_worker_in_the_cloud_and_goes_without_a_trace() -> LabResult<()> {
    let ursa = Ursa::draw("boot-ec2")?;
    let cloud = ursa.open_cloud()?;
    ursa.landbridge("up").deadline(SOON).expect_ok()?;

    ursa.landbridge(&format!("worker boot --on ec2 --name e1 --template {TEMPLATE} --wait 4m"))
        .deadline(SOON * 3)
        .expect_ok()?;
    assert_eq!(ursa.state("e1")?, "ready");
    assert_eq!(cloud.states()?, ["running"]);
    ursa.frontend.write_file("/home/ada/task.sh", "#!/bin/sh\necho $(hostname) $(stat -f -c %T $HOME)\n")?;
    ursa.as_ada(&ursa.frontend, "qsub -sync y -cwd -j y -o said task.sh")?;
    assert_eq!(ursa.frontend.read_text("/home/ada/said")?, "e1 nfs\n");

    ursa.landbridge("worker destroy e1").deadline(SOON * 2).expect_ok()?;
    ursa.await_state("e1", "gone", SOON)?;
    cloud.await_empty(SOON)?;
    assert_eq!(cloud.states()?, ["terminated"]);
    let groups = cloud
        .ask("DescribeSecurityGroups", &[("Filter.1.Name", "tag-key"), ("Filter.1.Value.1", "landbridge:cluster")])?;
    assert!(!groups.contains("<groupId>"), "a security group is left: {groups}");
    ursa.landbridge("audit").expect_ok()?;
    let log = ursa.frontend.read_text("/var/log/landbridge/daemon.log")?;
    assert!(!log.contains("AKIDEXAMPLE"), "the daemon's log names credentials: {log}");
    Ok(())
}
