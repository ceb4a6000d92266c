//! The main job, on the design's cluster: two local and two remote workers do a NIS user's array job in her NFS home.

mod screen;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Outcome, Scenario};
use crate::error::LabResult;
use crate::lab::Lab;
use crate::machine::Machine;
use crate::ursa::{TEMPLATE, Ursa};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "demo",
    about: "a front-end, two physical hosts and a cloud 40 ms away; four workers do an array job of real tasks",
    build,
};

/// One way; a round trip to the cloud takes twice as long.
const DELAY: Duration = Duration::from_millis(20);
const TASKS: u32 = 40;
/// For machines that boot and join side by side.
const PATIENCE: Duration = Duration::from_mins(5);

/// Each task counts the primes below a number of its own, and says where it ran.
const TASK: &str = r"#!/bin/sh
# Primes below 200 * task, counted the slow way.
awk -v n=$((200 * SGE_TASK_ID)) -v host=$(hostname) -v task=$SGE_TASK_ID 'BEGIN {
    for (i = 2; i < n; i++) { prime = 1; for (j = 2; j * j <= i; j++) if (i % j == 0) { prime = 0; break }; count += prime }
    print task, n, count, host
}' > results/$SGE_TASK_ID
";

fn build(lab: &Arc<Lab>) -> Outcome<()> {
    let start = Instant::now();
    let said = |what: &str| println!("{:>6.1} s  {what}", start.elapsed().as_secs_f64());
    let ursa = Ursa::draw_in(Arc::clone(lab))?;
    ursa.wan.set_delay(DELAY);
    // As long as the lab: its process is the scenario's own.
    let _makers = Box::leak(Box::new(ursa.open_makers()?));
    said("frontend, ursa01 and ursa02 are drawn; the cloud, with EC2's API, is 40 ms of round trip away");
    ursa.landbridge("up").expect_ok()?;
    said("landbridge up: vLAN, keys, tunnels, NFS, NIS and the queue are there");
    for host in &ursa.hosts {
        ursa.enrol(host)?;
        host.wait_until("ip link show lbbr-ursa", PATIENCE)?;
    }
    said("landbridge host add: ursa01 and ursa02 have their bridges");
    boot(&ursa)?;
    said(
        "landbridge worker boot: two workers on the hosts and two in EC2 are ready, from one OpenNebula template of 2008",
    );
    let (results, took) = compute(&ursa)?;
    said(&format!("ada's job is done: {TASKS} tasks in {:.1} s", took.as_secs_f64()));
    print!("{}", screen::screen(&ursa, &results)?);
    Ok(())
}

/// Two local and two remote workers, all at once.
fn boot(ursa: &Ursa) -> LabResult<()> {
    let ask = |how: &str| {
        let words = format!("worker boot --template {TEMPLATE} --count 2 {how} --wait");
        ursa.landbridge(&words).deadline(PATIENCE).expect_ok()
    };
    std::thread::scope(|scope| {
        let local = scope.spawn(|| ask("--spread"));
        let remote = ask("--on ec2");
        local.join().expect("a boot does not panic").and(remote).map(drop)
    })
}

/// The results, a line a task: task, limit, count, host.
fn compute(ursa: &Ursa) -> Outcome<(String, Duration)> {
    ursa.frontend.write_file("/home/ada/task.sh", TASK)?;
    as_ada(&ursa.frontend, "mkdir -p results")?;
    let start = Instant::now();
    as_ada(&ursa.frontend, &format!("qsub -sync y -cwd -j y -o /dev/null -t 1-{TASKS} task.sh"))?;
    let took = start.elapsed();
    Ok((as_ada(&ursa.frontend, "cat results/*")?, took))
}

fn as_ada(machine: &Machine, command: &str) -> LabResult<String> {
    machine.run_argv(["su", "-", "ada", "-c", command]).deadline(Duration::from_mins(5)).expect_ok()
}
