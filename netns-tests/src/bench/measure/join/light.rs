//! The same join where programs start at this machine's own pace: in machines of namespaces, which mount nothing.

use std::time::Duration;

use landbridge::view::TimelineView;
use landbridge_node::wire::Stage;

use crate::bench::Outcome;
use crate::bench::report::{Cell, Section, Table};
use crate::bench::statistics::Sample;
use crate::ursa::{Ursa, Way};

use super::super::inside::program_start;
use super::{ROUNDS, STANDS, Stand};

/// Joins by one way.
struct Joins {
    stand: Stand,
    timelines: Vec<TimelineView>,
}

/// All of them.
#[derive(Default)]
pub(super) struct Light {
    ways: Vec<Joins>,
    /// What it takes to start a program there.
    starts: Vec<Duration>,
}

/// Joins by the ways through tunnels, in turn.
pub(super) fn measure(section: &mut Section) -> Outcome<Light> {
    let ursa = Ursa::light("bench-join-light")?;
    let tunnels = STANDS.into_iter().filter(|stand| stand.way == Way::Tunnel);
    let mut ways: Vec<Joins> = tunnels.map(|stand| Joins { stand, timelines: Vec::new() }).collect();
    let mut starts = Vec::new();
    for round in 1..=ROUNDS {
        for (place, way) in (0_u8..).zip(&mut ways) {
            let what = format!("joining by {}, in a machine of namespaces", way.stand.title);
            let (name, last) = (format!("n{place}{round}"), 100 + 10 * place + round);
            if let Some((timeline, start)) = section.attempt(&what, || join(&ursa, way.stand, &name, last)) {
                way.timelines.push(timeline);
                starts.extend(start);
            }
        }
    }
    Ok(Light { ways, starts })
}

/// The worker stays, and costs the next ones nothing.
fn join(ursa: &Ursa, stand: Stand, name: &str, last: u8) -> Outcome<(TimelineView, Option<Duration>)> {
    ursa.wan.set_delay(Duration::ZERO);
    let machine = ursa.light_instance(name, &format!("203.0.113.{last}/24"))?;
    let token = ursa.token(name, stand.way, "ec2")?;
    ursa.wan.set_delay(stand.one_way);
    ursa.join_with(&machine, stand.way, &token)?;
    let timeline = serde_json::from_value(ursa.ask(&format!("worker show {name}"))?["timeline"].clone())?;
    let start = program_start(&machine)?;
    Ok((timeline, start))
}

impl Light {
    /// Stage by stage.
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(["in a machine of namespaces", STANDS[1].title, STANDS[2].title]);
        for stage in Stage::ALL.into_iter().filter(|stage| *stage != Stage::Nfs) {
            let took = |timeline: &TimelineView| super::took(timeline, stage);
            table.row(stage.as_str(), self.ways.iter().map(|way| Cell::from(sample(way, took))));
        }
        table.row("start to ready", self.ways.iter().map(|way| Cell::from(sample(way, whole))));
        table
    }

    /// What it shows of a join in a machine with a kernel of its own.
    pub(super) fn sentence(&self) -> Option<String> {
        let start = Sample::of_milliseconds(&self.starts)?;
        let ways = self.ways.iter().map(|way| Some(format!("{} ({})", sample(way, whole)?.show(), way.stand.title)));
        let ways = ways.collect::<Option<Vec<_>>>()?.join(", ");
        Some(format!(
            " In a machine of namespaces, where a program takes {} and which mounts nothing, the same join took {ways}.",
            start.show(),
        ))
    }
}

fn whole(timeline: &TimelineView) -> Option<Duration> {
    Some(timeline.total())
}

fn sample(way: &Joins, time: impl Fn(&TimelineView) -> Option<Duration>) -> Option<Sample> {
    Sample::of_milliseconds(&way.timelines.iter().filter_map(time).collect::<Vec<_>>())
}
