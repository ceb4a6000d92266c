//! Deploying: from the wish for a worker to a ready one, on a host and in the cloud.

use std::time::Duration;

use landbridge::view::{DeployView, WorkerDeploy};

use crate::bench::report::{Bound, Cell, Goal, Section, Table};
use crate::bench::statistics::{Sample, Unit};
use crate::bench::{Measurement, Outcome};
use crate::ursa::{TEMPLATE, Ursa};

/// This measurement.
pub const DEPLOY: Measurement = Measurement { name: "deploy", title: "From a wish to a ready worker", measure };

const ROUNDS: u32 = 3;
const PATIENCE: Duration = Duration::from_mins(3);
/// 80 ms of round trip.
const ONE_WAY: Duration = Duration::from_millis(40);
/// Where workers run: host, title, what was published for it (in seconds), and what is to be reached.
const PLACES: [(&str, &str, f64, f64); 2] =
    [("ursa01", "on a host", 3.3, 2.5), ("ec2", "in the cloud, 80 ms RTT", 23.6, 6.0)];

/// The steps before there is a machine, and those until it calls.
const ASKING: [&str; 2] = ["prepare", "accept"];
const STARTING: [&str; 2] = ["start", "boot"];

fn measure(section: &mut Section) -> Outcome<()> {
    section.note(
        "`landbridge worker boot`, one worker at a time, from OpenNebula's template of 2008: record, token, user-data, the machine \
         (user-mode-linux, by a host's driver, or by EC2's API as moto plays it, 80 ms of round trip away), its boot, its join. \
         Published for OpenNebula and EC2 on hardware of 2008: 3.3 s and 23.6 s.",
    );
    let (_makers, ursa) = Ursa::up_with_makers("bench-deploy")?;
    ursa.wan.set_delay(ONE_WAY);
    for round in 1..=ROUNDS {
        for (host, title, ..) in PLACES {
            section.attempt(title, || deploy(&ursa, host, &format!("d{}{round}", &host[..1]), round == ROUNDS));
        }
    }
    let report: DeployView = serde_json::from_value(ursa.ask("report deploy")?)?;
    tell(section, &report.workers);
    Ok(())
}

/// Those of the last round go with the whole lab.
fn deploy(ursa: &Ursa, host: &str, name: &str, stays: bool) -> Outcome<()> {
    let boot = format!("worker boot --template {TEMPLATE} --on {host} --name {name} --wait 2m");
    ursa.landbridge(&boot).deadline(PATIENCE).expect_ok()?;
    if !stays {
        ursa.landbridge(&format!("worker destroy {name} --now --wait 2m")).deadline(PATIENCE).expect_ok()?;
    }
    Ok(())
}

fn tell(section: &mut Section, workers: &[WorkerDeploy]) {
    let mine = PLACES.map(|(host, ..)| workers.iter().filter(|worker| worker.host == host).collect::<Vec<_>>());
    let mut steps: Vec<&str> = Vec::new();
    for step in workers.iter().flat_map(|worker| &worker.steps) {
        if !steps.contains(&step.step.as_str()) {
            steps.push(&step.step);
        }
    }
    let mut table = Table::new(["step", PLACES[0].1, PLACES[1].1]);
    for step in steps {
        let took = |worker: &&WorkerDeploy| worker.steps.iter().find(|s| s.step == step).map(|step| step.took_ms);
        table.row(step, mine.each_ref().map(|workers| sample(workers, took).map_or(Cell::Empty, Cell::Sample)));
    }
    let whole = mine.each_ref().map(|workers| sample(workers, |worker| worker.ready_ms));
    table.row("asked to ready", whole.clone().map(Cell::from));
    table.row("published", PLACES.map(|(.., published, _)| Cell::Value(Unit::Seconds, published)));
    section.tables.push(table);
    for (((_, title, _, goal), whole), workers) in PLACES.into_iter().zip(whole).zip(mine) {
        let got = whole.map(|sample| sample.median() / 1000.0);
        let what = format!("worker asked for to ready, {title}");
        let goal = Goal::new(&what, Unit::Seconds, Bound::AtMost(goal), got);
        section.goals.push(match held_back(&workers) {
            Some(why) => goal.or_because(why),
            None => goal,
        });
    }
}

/// How the time divides into what is ours, what is the machine's start, and the join.
fn held_back(workers: &[&WorkerDeploy]) -> Option<String> {
    let together = |worker: &WorkerDeploy, names: &[&str]| -> u64 {
        worker.steps.iter().filter(|step| names.contains(&step.step.as_str())).map(|step| step.took_ms).sum()
    };
    let asking = sample(workers, |worker| Some(together(worker, &ASKING)))?;
    let starting = sample(workers, |worker| Some(together(worker, &STARTING)))?;
    let joining = sample(workers, |worker| {
        worker.ready_ms?.checked_sub(together(worker, &ASKING) + together(worker, &STARTING))
    })?;
    Some(format!(
        "Of it, {} are the record, the token and the provider's answer, {} the start of user-mode-linux's kernel and system, and {} the \
         join: what holds that back stands with its own figures.",
        asking.show(),
        starting.show(),
        joining.show(),
    ))
}

fn sample(workers: &[&WorkerDeploy], took: impl Fn(&&WorkerDeploy) -> Option<u64>) -> Option<Sample> {
    Sample::of_milliseconds(&workers.iter().filter_map(took).map(Duration::from_millis).collect::<Vec<_>>())
}
