//! A spot instance's interruption notice, carried through to a worker that has left before its machine goes.

use std::time::Duration;

use netns_tests::LabResult;
use netns_tests::ursa::{TEMPLATE, Ursa};

const SOON: Duration = Duration::from_mins(2);
/// What EC2 gives.
const NOTICE: Duration = Duration::from_mins(2);

/// Longer than anybody needs to hear of the notice.
const TASK: &str = "#!/bin/sh\ntouch begun\nsleep 15\ntouch done\n";

#[test]
fn a_worker_whose_cloud_takes_it_back_ends_its_jobs_and_leaves() -> LabResult<()> {
    let ursa = Ursa::draw("spot")?;
    let cloud = ursa.open_cloud()?;
    ursa.landbridge("up").deadline(SOON).expect_ok()?;
    let boot = format!("worker boot --on ec2 --name e1 --template {TEMPLATE} --wait 4m");
    ursa.landbridge(&boot).deadline(SOON * 3).expect_ok()?;
    ursa.frontend.write_file("/home/ada/task.sh", TASK)?;
    ursa.as_ada(&ursa.frontend, "qsub -cwd -j y -o said task.sh")?;
    ursa.frontend.wait_for_path("/home/ada/begun", SOON)?;

    let instance = ursa.ask("worker show e1")?["machine"].as_str().unwrap_or_default().to_owned();
    cloud.take_back(&instance, NOTICE);
    ursa.await_state("e1", "leaving", NOTICE)?;
    let closed = ursa.grid("qstat -f")?;
    assert!(closed.lines().any(|line| line.contains("@e1") && line.ends_with('d')), "its slots are open: {closed}");
    ursa.frontend.run("ls /home/ada/done").expect_failure()?;

    // Gone before the cloud takes it, for good: with its job done and its home unmounted.
    ursa.await_state("e1", "gone", NOTICE)?;
    ursa.frontend.run("ls /home/ada/done").expect_ok()?;
    let events = ursa.landbridge("events").expect_ok()?;
    assert!(events.contains("ec2 takes its machine back at "), "{events}");
    assert!(!events.contains("without having unmounted"), "{events}");
    cloud.await_empty(SOON)?;
    assert_eq!(ursa.landbridge("audit").expect_ok()?, "nothing is left over\n");
    Ok(())
}
