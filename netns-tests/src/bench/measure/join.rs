//! Joining: the per-worker command, from its start to ready, stage by stage.

use std::time::Duration;

use landbridge::view::TimelineView;
use landbridge_node::wire::Stage;

use crate::bench::report::{Bound, Cell, Goal, Section, Table};
use crate::bench::statistics::{Sample, Unit};
use crate::bench::{Measurement, Outcome};
use crate::uml::Uml;
use crate::ursa::{Ursa, Way};

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
        "`landbridge-node join` on a user-mode-linux machine that has just booted and has a token: key, certificate, tunnel, address, \
         MTU, NFS, NIS, queue, and a canary job, each proved. A worker at a time, on each way in turn; milliseconds as the worker \
         took them. Such a machine has one processor and starts a program in some 25 ms, ten times as long as a real one, and the \
         stages start dozens.",
    );
    let ursa = Ursa::up("bench-join")?;
    let mut joins: [Vec<Join>; 3] = Default::default();
    for round in 1..=ROUNDS {
        for (place, (stand, joins)) in STANDS.iter().zip(&mut joins).enumerate() {
            let (name, last) = (format!("j{place}{round}"), 10 * (u8::try_from(place)? + 1) + round);
            let what = format!("joining by {}", stand.title);
            joins.extend(section.attempt(&what, || join(&ursa, *stand, &name, last)));
        }
    }
    tell(section, &joins);
    Ok(())
}

/// A join that has been.
struct Join {
    timeline: TimelineView,
    /// Of that, how long the worker's one processor was busy.
    busy: Duration,
}

/// Since the machine booted, in hundredths of a second: proc(5), user, nice and system.
const BUSY: &str = "awk '/^cpu / { print $2 + $3 + $4 }' /proc/stat";

fn busy(machine: &Uml) -> Outcome<u64> {
    Ok(machine.run(BUSY).expect_ok()?.trim().parse()?)
}

fn join(ursa: &Ursa, stand: Stand, name: &str, last: u8) -> Outcome<Join> {
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
    let before = busy(&machine)?;
    ursa.join_with(&machine, stand.way, &token)?;
    let busy = Duration::from_millis(10 * (busy(&machine)? - before));
    let timeline = serde_json::from_value(ursa.ask(&format!("worker show {name}"))?["timeline"].clone())?;
    ursa.wan.set_delay(Duration::ZERO);
    ursa.landbridge(&format!("worker destroy {name} --now --wait 1m")).expect_ok()?;
    ursa.lab.retire(&machine)?;
    Ok(Join { timeline, busy })
}

fn tell(section: &mut Section, joins: &[Vec<Join>; 3]) {
    let mut table = Table::new(["stage", STANDS[0].title, STANDS[1].title, STANDS[2].title]);
    for stage in Stage::ALL {
        table.row(stage.as_str(), joins.each_ref().map(|joins| Cell::from(sample(joins, |join| took(join, stage)))));
    }
    let whole = joins.each_ref().map(|joins| sample(joins, |join| Some(join.timeline.total())));
    let busy = joins.each_ref().map(|joins| sample(joins, |join| Some(join.busy)));
    table.row("start to ready", whole.clone().map(Cell::from));
    table.row("its processor was busy", busy.clone().map(Cell::from));
    section.tables.push(table);
    for ((stand, whole), busy) in STANDS.iter().zip(whole).zip(busy) {
        let what = format!("join, start to ready, {}", stand.title);
        let got = whole.map(|sample| sample.median());
        let goal = Goal::new(&what, Unit::Milliseconds, Bound::AtMost(stand.goal_ms), got);
        section.goals.push(match busy {
            Some(busy) => goal.or_because(format!(
                "The machine's one processor was busy for {}, from before the command to after it, its agent's start included. \
                 Looked at by hand, most of that are starts of programs and the loading of the kernel's modules for NFS, which user-mode-linux \
                 is slow at.",
                busy.show()
            )),
            None => goal,
        });
    }
}

fn sample(joins: &[Join], time: impl Fn(&Join) -> Option<Duration>) -> Option<Sample> {
    Sample::of_milliseconds(&joins.iter().filter_map(time).collect::<Vec<_>>())
}

fn took(join: &Join, stage: Stage) -> Option<Duration> {
    let report = join.timeline.stages.iter().find(|report| report.stage == stage)?;
    Some(Duration::from_millis(report.took_ms))
}
