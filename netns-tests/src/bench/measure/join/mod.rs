//! Joining: the per-worker command, from its start to ready, stage by stage.

mod light;

use std::fmt::Write as _;
use std::time::Duration;

use landbridge::view::TimelineView;
use landbridge_node::wire::Stage;

use super::inside::{Done, counted, program_start};
use crate::bench::report::{Bound, Cell, Goal, Section, Table};
use crate::bench::statistics::{Sample, Unit};
use crate::bench::{Measurement, Outcome};
use crate::uml::Uml;
use crate::ursa::{Ursa, Way};
use light::Light;

/// This measurement.
pub const JOIN: Measurement = Measurement { name: "join", title: "Joining, stage by stage", measure };

const ROUNDS: u8 = 3;

/// Where a worker stands when it joins.
#[derive(Clone, Copy)]
struct Stand {
    title: &'static str,
    way: Way,
    one_way: Duration,
    /// From the command's start to ready, in milliseconds.
    goal_ms: f64,
}

const STANDS: [Stand; 3] = [
    Stand { title: "bridge", way: Way::Bridge, one_way: Duration::ZERO, goal_ms: 1500.0 },
    Stand { title: "tunnel, LAN", way: Way::Tunnel, one_way: Duration::ZERO, goal_ms: 1500.0 },
    Stand { title: "tunnel, 80 ms RTT", way: Way::Tunnel, one_way: Duration::from_millis(40), goal_ms: 2500.0 },
];

fn measure(section: &mut Section) -> Outcome<()> {
    section.note(
        "`landbridge-node join` on a user-mode-linux machine of one processor that has just booted and has a token: key, certificate, \
         tunnel, address, MTU, NFS, NIS, queue, and a canary job, each proved. A worker at a time, on each way in turn; milliseconds \
         as the worker took them. The last table is of machines of namespaces, whose programs start at this machine's own pace, and \
         which mount nothing since its kernel has no NFS.",
    );
    let ursa = Ursa::up("bench-join")?;
    let mut joins: [Vec<Join>; 3] = Default::default();
    for round in 1..=ROUNDS {
        for (place, (stand, joins)) in STANDS.iter().zip(&mut joins).enumerate() {
            let (name, last) = (format!("j{place}{round}"), 10 * (u8::try_from(place)? + 1) + round);
            let what = format!("joining by {}", stand.title);
            let is_last = round == ROUNDS;
            joins.extend(section.attempt(&what, || join(&ursa, *stand, &name, last, is_last)));
        }
    }
    drop(ursa);
    let light = light::measure(section).unwrap_or_else(|error| {
        section.fail("joining in machines of namespaces", error.as_ref());
        Light::default()
    });
    tell(section, &joins, &light);
    Ok(())
}

/// A join that has been.
struct Join {
    timeline: TimelineView,
    /// What the machine did from before the command to after it.
    done: Done,
    /// What it takes to start a program there.
    program_start: Option<Duration>,
}

/// Those of the last round go with the whole lab.
fn join(ursa: &Ursa, stand: Stand, name: &str, last: u8, stays: bool) -> Outcome<Join> {
    ursa.wan.set_delay(Duration::ZERO);
    let machine: Uml = match stand.way {
        Way::Bridge => ursa.guest(name, &ursa.hosts[0])?,
        Way::Tunnel => ursa.instance(name, &format!("203.0.113.{last}/24"))?,
    };
    let on = match stand.way {
        Way::Bridge => "ursa01",
        Way::Tunnel => "ec2",
    };
    let token = ursa.token(name, stand.way, on)?;
    ursa.wan.set_delay(stand.one_way);
    let before = Done::by(&machine)?;
    ursa.join_with(&machine, stand.way, &token)?;
    let done = Done::by(&machine)?.since(before);
    let program_start = program_start(&machine)?;
    let timeline = serde_json::from_value(ursa.ask(&format!("worker show {name}"))?["timeline"].clone())?;
    ursa.wan.set_delay(Duration::ZERO);
    if !stays {
        ursa.landbridge(&format!("worker destroy {name} --now --wait 1m")).expect_ok()?;
        ursa.lab.retire(&machine)?;
    }
    Ok(Join { timeline, done, program_start })
}

fn tell(section: &mut Section, joins: &[Vec<Join>; 3], light: &Light) {
    let mut table = Table::new(["stage", STANDS[0].title, STANDS[1].title, STANDS[2].title]);
    for stage in Stage::ALL {
        table.row(
            stage.as_str(),
            joins.each_ref().map(|joins| Cell::from(sample(joins, |join| took(&join.timeline, stage)))),
        );
    }
    let whole = joins.each_ref().map(|joins| sample(joins, |join| Some(join.timeline.total())));
    table.row("start to ready", whole.clone().map(Cell::from));
    table.row("its processor was busy", joins.each_ref().map(|joins| Cell::from(busy(joins))));
    table.row(
        "to start a program there",
        joins.each_ref().map(|joins| Cell::from(sample(joins, |join| join.program_start))),
    );
    section.tables.push(table);
    let mut table = Table::new(["how many", STANDS[0].title, STANDS[1].title, STANDS[2].title]);
    table.row("programs and threads begun", joins.each_ref().map(|joins| Cell::from(count(joins, |done| done.begun))));
    table.row("calls to the NFS server", joins.each_ref().map(|joins| Cell::from(count(joins, |done| done.nfs_calls))));
    section.tables.extend([table, light.table()]);
    for ((stand, whole), joins) in STANDS.iter().zip(whole).zip(joins) {
        let what = format!("join, start to ready, {}", stand.title);
        let got = whole.map(|sample| sample.median());
        let goal = Goal::new(&what, Unit::Milliseconds, Bound::AtMost(stand.goal_ms), got);
        section.goals.push(match held_back(joins, *stand) {
            Some(why) => goal.or_because(why + &light.sentence().unwrap_or_default()),
            None => goal,
        });
    }
}

/// What was measured of the time that the joins took.
fn held_back(joins: &[Join], stand: Stand) -> Option<String> {
    let start = sample(joins, |join| join.program_start)?;
    let begun = count(joins, |done| done.begun)?;
    let mut why = format!(
        "The machine's one processor was busy for {}, from before the command to after it, its agent's start included: {} programs \
         and threads were begun, and to start a program that does nothing and see its end takes {} there.",
        busy(joins)?.show(),
        begun.show(),
        start.show(),
    );
    let round_trip = 2.0 * stand.one_way.as_secs_f64();
    if round_trip > 0.0 {
        let calls = count(joins, |done| done.nfs_calls)?;
        let _ = write!(
            why,
            " The kernel's NFS client made {} calls, one after another: at this distance {} of the whole.",
            calls.show(),
            Unit::Seconds.show(calls.median() * round_trip),
        );
    }
    Some(why)
}

fn busy(joins: &[Join]) -> Option<Sample> {
    sample(joins, |join| Some(join.done.busy))
}

fn count(joins: &[Join], of: impl Fn(Done) -> u64) -> Option<Sample> {
    Sample::new(Unit::Count, joins.iter().map(|join| counted(of(join.done))).collect())
}

fn sample(joins: &[Join], time: impl Fn(&Join) -> Option<Duration>) -> Option<Sample> {
    Sample::of_milliseconds(&joins.iter().filter_map(time).collect::<Vec<_>>())
}

/// How long a stage took.
pub(super) fn took(timeline: &TimelineView, stage: Stage) -> Option<Duration> {
    let report = timeline.stages.iter().find(|report| report.stage == stage)?;
    Some(Duration::from_millis(report.took_ms))
}
