//! The queue master dies and comes back.

use std::time::Duration;

use netns_tests::ursa::{Ursa, Way};
use netns_tests::{LabResult, Machine};

const PATIENCE: Duration = Duration::from_mins(2);
/// Held, nothing on the front-end is repaired.
const MACHINE_LOCK: &str = "/var/lib/landbridge/machine/lock";
const KILL: &str = "pid=$(pgrep -x sge_qmaster); kill -KILL $pid; tail --pid=$pid -s 0.02 -f /dev/null";
/// Ends when no job can start on the worker.
const CLOSED: &str = "export SGE_ROOT=/var/lib/gridengine SGE_CELL=landbridge-ursa
    /usr/lib/gridengine/qstat -f -q all.q@e1 | grep -q 'all.q@e1.* [a-z]*d[a-z]*$'";

#[test]
fn a_killed_queue_master_keeps_no_worker_from_joining_again() -> LabResult<()> {
    let ursa = Ursa::light("queue-master")?;
    let e1 = ursa.light_instance("e1", "203.0.113.11/24")?;
    let e2 = ursa.light_instance("e2", "203.0.113.12/24")?;
    ursa.join(&e1, Way::Tunnel, "ec2")?;

    let hold = format!("flock {MACHINE_LOCK} sh -c 'echo held; read end'");
    let mut repairs = ursa.frontend.run(&hold).open_stdin().spawn()?;
    repairs.wait_for_output("held", PATIENCE)?;
    ursa.frontend.run(KILL).expect_ok()?;
    let said = e1.run("landbridge-node join").deadline(PATIENCE).expect_failure()?;
    assert!(said.out().contains("not joined: queue failed"), "{}", said.out());
    repairs.close_stdin()?;

    ursa.await_state("e1", "failed", PATIENCE)?;
    ursa.frontend.wait_until(CLOSED, PATIENCE)?;
    // Its execution daemon is the one that lost its queue master.
    again(&ursa, &e1)?;
    ursa.join(&e2, Way::Tunnel, "ec2")?;

    // Once more, with nobody in its way: what a ready worker sees is a queue master that was away for a moment.
    ursa.frontend.run(KILL).expect_ok()?;
    ursa.landbridge("up").expect_ok()?;
    again(&ursa, &e1)?;
    ursa.landbridge("audit").expect_ok().map(drop)
}

fn again(ursa: &Ursa, machine: &Machine) -> LabResult<()> {
    let said = machine.run("landbridge-node join").deadline(PATIENCE).expect_ok()?;
    assert!(said.contains(&format!("{} is ready after", machine.name())), "{said}");
    assert_eq!(ursa.state(machine.name())?, "ready");
    Ok(())
}
