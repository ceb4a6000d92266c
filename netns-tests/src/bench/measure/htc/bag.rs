//! A bag of tasks: what each does, and how the whole is timed.

use std::time::{Duration, Instant};

use super::{FARTHEST, LOSSES, Outcome, ROUND_TRIPS, Ursa};
use crate::command::Running;

/// Tasks that are alike.
pub(super) struct Bag {
    pub(super) title: &'static str,
    /// How many a worker does.
    pub(super) tasks: u32,
    /// How it is compared.
    pub(super) beside: Beside,
    /// With which it is run on the remote worker.
    pub(super) round_trips: &'static [Duration],
    /// Parts of packets lost each way, with each of these.
    pub(super) losses: &'static [f64],
    /// How long each computes.
    seconds: f32,
}

/// When the local worker does it too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    /// So often, before.
    Before(u32),
    /// At the same time, on the machine's other processor.
    Meanwhile,
}

pub(super) const SHORT: Bag = Bag {
    title: "four short tasks",
    tasks: 4,
    beside: Beside::Before(2),
    round_trips: &ROUND_TRIPS,
    losses: &LOSSES,
    seconds: 0.1,
};
/// Shows what a task costs, without the execution daemon's turns between tasks.
pub(super) const ONE: Bag = Bag { title: "one short task", tasks: 1, losses: &[0.0], ..SHORT };
/// For what is compared on one worker only.
pub(super) const PAIR: Bag = Bag { title: "two short tasks", tasks: 2, ..ONE };
/// As long as this kind of work's tasks are at least, as a rule.
pub(super) const LONG: Bag =
    Bag { title: "a task of a minute", beside: Beside::Meanwhile, round_trips: &[FARTHEST], seconds: 58.0, ..ONE };

const PATIENCE: Duration = Duration::from_mins(3);

/// Reads its own input, computes for its time, writes its own output, with the checksum of what it read before it.
const TASK: &str = r#"#!/bin/sh
set -e
sum=$(cksum <bag/in/$SGE_TASK_ID)
timeout $SECONDS_OF_WORK awk 'BEGIN { for (;;) x = (x + ++i) % 65521 }' || [ $? = 124 ]
{ echo "$sum"; cat bag/in/$SGE_TASK_ID; } >bag/out/$HOSTNAME.$SGE_TASK_ID
"#;

/// Says so when a worker's outputs are as many and as long as they will be. It looks: inotify(7) tells of writes, and not
/// which is the last.
const WHOLE: &str = r#"my ($worker, $tasks) = @ARGV;
sub whole { open(my $file, "<", $_[0]) or return 0; -s $file == 262144 + length(<$file> // "") }
select undef, undef, undef, 0.005 until $tasks == grep { whole $_ } glob "/home/ada/bag/out/$worker.*";
print "whole\n""#;

/// Puts the inputs of the largest bag and the task's script into ada's home.
pub(super) fn prepare(ursa: &Ursa) -> Outcome<()> {
    ursa.frontend.write_file("/home/ada/task.sh", TASK)?;
    let tasks = SHORT.tasks;
    let make =
        format!("mkdir -p bag/in bag/out && for n in $(seq {tasks}); do head -c 262144 /dev/urandom >bag/in/$n; done");
    ursa.as_ada(&ursa.frontend, &make)?;
    Ok(())
}

/// From submission until the last byte of the last output is on the front-end, for each of the workers; several begin at the same
/// time. That the queue knows of the tasks' end too is waited for, and not counted.
pub(super) fn run<const WORKERS: usize>(
    ursa: &Ursa,
    bag: &Bag,
    workers: [&str; WORKERS],
) -> Outcome<[Duration; WORKERS]> {
    ursa.as_ada(&ursa.frontend, "rm -f bag/out/*")?;
    let all = bag.tasks * u32::try_from(WORKERS)?;
    let submit = format!(
        "qsub -sync y -cwd -j y -o /dev/null -l 'h={}' -v SECONDS_OF_WORK={} -t 1-{all} task.sh >/dev/null",
        workers.join("|"),
        bag.seconds
    );
    let watched = workers.map(|worker| watch(ursa, bag, worker));
    let start = Instant::now();
    let took = std::thread::scope(|scope| {
        let queue = ursa.frontend.run_argv(["su", "-", "ada", "-c", &submit]).deadline(PATIENCE);
        let queue = scope.spawn(|| queue.expect_ok());
        let took = watched.map(|watched| scope.spawn(move || whole(watched?, start)));
        let took = took.map(|took| took.join().map_err(|_| "a watching thread panicked")?);
        queue.join().map_err(|_| "the submitting thread panicked")??;
        Outcome::Ok(took)
    })?;
    let check = format!(
        "cd bag && for task in $(seq {all}); do [ \"$(head -qn 1 out/*.$task)\" = \"$(cksum <in/$task)\" ] && \
         tail -qn +2 out/*.$task | cmp -s - in/$task || exit 1; done"
    );
    ursa.as_ada(&ursa.frontend, &check)?;
    all_of(took)
}

fn watch(ursa: &Ursa, bag: &Bag, worker: &str) -> Outcome<Running> {
    Ok(ursa.frontend.run_argv(["perl", "-e", WHOLE, worker, &bag.tasks.to_string()]).spawn()?)
}

fn whole(mut watched: Running, since: Instant) -> Outcome<Duration> {
    match watched.wait_for_output("whole", PATIENCE) {
        Ok(()) => Ok(since.elapsed()),
        Err(error) => {
            // It would look for ever, and weigh on what is measured next.
            let _ = watched.signal(nix::libc::SIGKILL);
            Err(error.into())
        }
    }
}

fn all_of<const COUNT: usize>(times: [Outcome<Duration>; COUNT]) -> Outcome<[Duration; COUNT]> {
    let times = times.into_iter().collect::<Outcome<Vec<_>>>()?;
    times.try_into().map_err(|_| "a worker's time is missing".into())
}
