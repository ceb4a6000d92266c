//! The main job, on the design's cluster: two local and two remote workers do a NIS user's array job in her NFS home.

mod screen;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Outcome, Scenario};
use crate::error::LabResult;
use crate::lab::Lab;
use crate::machine::Machine;
use crate::uml::Uml;
use crate::ursa::{Ursa, Way};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "demo",
    about: "a front-end, two physical hosts and a cloud 40 ms away; four workers do an array job of real tasks",
    build,
};

/// One way; a round trip to the cloud takes twice as long.
const DELAY: Duration = Duration::from_millis(20);
const TASKS: u32 = 40;

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
    said("frontend, ursa01 and ursa02 are drawn; the cloud is 40 ms of round trip away");
    ursa.landbridge("up").expect_ok()?;
    said("landbridge up: vLAN, keys, tunnels, NFS, NIS and the queue are there");
    for host in &ursa.hosts {
        ursa.enrol(host)?;
    }
    said("landbridge host add: ursa01 and ursa02 have their bridges");
    let workers = boot(&ursa)?;
    said("four machines are booted: w1 on ursa01, w2 on ursa02, e1 and e2 in the cloud");
    join(&ursa, &workers)?;
    said("landbridge-node join: all four are ready");
    let (results, took) = compute(&ursa)?;
    said(&format!("ada's job is done: {TASKS} tasks in {:.1} s", took.as_secs_f64()));
    print!("{}", screen::screen(&ursa, &results)?);
    Ok(())
}

/// The machines with the way in which each joins, and where it runs.
fn boot(ursa: &Ursa) -> LabResult<Vec<(Uml, Way, &'static str)>> {
    Ok(vec![
        (ursa.guest("w1", &ursa.hosts[0])?, Way::Bridge, "ursa01"),
        (ursa.guest("w2", &ursa.hosts[1])?, Way::Bridge, "ursa02"),
        (ursa.instance("e1", "203.0.113.11/24")?, Way::Tunnel, "ec2"),
        (ursa.instance("e2", "203.0.113.12/24")?, Way::Tunnel, "ec2"),
    ])
}

/// All at once.
fn join(ursa: &Ursa, workers: &[(Uml, Way, &'static str)]) -> LabResult<()> {
    std::thread::scope(|scope| {
        let joins: Vec<_> =
            workers.iter().map(|(machine, way, on)| scope.spawn(move || ursa.join(machine, *way, on))).collect();
        joins.into_iter().try_for_each(|join| join.join().expect("a join does not panic").map(drop))
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
