//! A bag of tasks: what each does, and how the whole is timed.

use std::time::{Duration, Instant};

use super::{LOSSES, Outcome, Ursa};

/// Tasks that are alike.
pub(super) struct Bag {
    pub(super) title: &'static str,
    pub(super) tasks: u32,
    /// How often it is run on the local worker.
    pub(super) rounds: u32,
    /// Parts of packets lost each way, with which it is run on the remote one.
    pub(super) losses: &'static [f64],
    /// Turns of the loop that a task computes in.
    turns: u32,
}

pub(super) const BAGS: [Bag; 2] = [
    Bag { title: "short tasks", tasks: 4, rounds: 2, losses: &LOSSES, turns: 2_000_000 },
    Bag { title: "long tasks", tasks: 1, rounds: 1, losses: &[0.0], turns: 150_000_000 },
];

const PATIENCE: Duration = Duration::from_mins(3);

/// Reads its own input, computes, writes its own output. The checksum makes sure that every byte has come.
const TASK: &str = r#"#!/bin/sh
set -e
sum=$(cksum <bag/in/$SGE_TASK_ID)
awk -v turns=$TURNS 'BEGIN { for (i = 0; i < turns; i++) x = (x + i) % 65521; print x }' >/dev/null
{ echo "$sum"; cat bag/in/$SGE_TASK_ID; } >bag/out/$SGE_TASK_ID
"#;

/// Puts the inputs of the largest bag and the task's script into ada's home.
pub(super) fn prepare(ursa: &Ursa) -> Outcome<()> {
    ursa.frontend.write_file("/home/ada/task.sh", TASK)?;
    let tasks = BAGS.iter().map(|bag| bag.tasks).max().unwrap_or_default();
    let make =
        format!("mkdir -p bag/in bag/out && for n in $(seq {tasks}); do head -c 262144 /dev/urandom >bag/in/$n; done");
    ursa.as_ada(&ursa.frontend, &make)?;
    Ok(())
}

/// From submission until the last output is whole on the front-end.
pub(super) fn run(ursa: &Ursa, bag: &Bag, worker: &str) -> Outcome<Duration> {
    ursa.as_ada(&ursa.frontend, "rm -f bag/out/*")?;
    let submit = format!(
        "qsub -sync y -cwd -j y -o /dev/null -l h={worker} -v TURNS={} -t 1-{} task.sh >/dev/null",
        bag.turns, bag.tasks
    );
    let start = Instant::now();
    ursa.frontend.run_argv(["su", "-", "ada", "-c", &submit]).deadline(PATIENCE).expect_ok()?;
    let took = start.elapsed();
    let check = format!(
        "for n in $(seq {}); do [ \"$(head -1 bag/out/$n)\" = \"$(cksum <bag/in/$n)\" ] || exit 1; done",
        bag.tasks
    );
    ursa.as_ada(&ursa.frontend, &check)?;
    Ok(took)
}
