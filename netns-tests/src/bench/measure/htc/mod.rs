//! High-throughput computing: the same bag of tasks on a local and on a remote worker, over ways of every kind.

mod bag;
mod plot;
mod settings;
mod wire;

use std::time::Duration;

use crate::bench::report::{Bound, Cell, Goal, Picture, Section, Table};
use crate::bench::statistics::{Sample, Unit};
use crate::bench::{Measurement, Outcome};
use crate::ursa::{Ursa, Way};

use bag::{BAGS, Bag};
use wire::Exchanges;

/// This measurement.
pub const HTC: Measurement = Measurement { name: "htc", title: "A bag of tasks, local and remote", measure };

/// Round trips to the cloud.
const ROUND_TRIPS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(20), FARTHEST];
const FARTHEST: Duration = Duration::from_millis(80);
/// Parts of packets lost each way.
const LOSSES: [f64; 3] = [0.0, 0.001, 0.01];
/// The ways on which the figure is to be reached: any distance that does not lose packets.
const ASKED: f64 = 0.98;

/// How long a bag took.
struct Ran {
    bag: &'static Bag,
    took: Option<Duration>,
    /// How much longer each task took than on the local worker, in seconds.
    more: Option<f64>,
    /// What it and the front-end said to each other meanwhile.
    exchanges: Option<Exchanges>,
    round_trip: Duration,
    loss: f64,
    /// Local time divided by remote time; `None` when the bag failed.
    efficiency: Option<f64>,
}

fn measure(section: &mut Section) -> Outcome<()> {
    section.note(
        "Array jobs of Grid Engine that read their input from, and write their output to, ada's NFS home, on one local worker (behind \
         a host's bridge) and on one in the cloud (behind the tunnel); each a user-mode-linux machine with one processor and \
         one slot. *Efficiency* is the local worker's time for the whole bag, submission to last output, divided by the remote one's. \
         Each task reads 256 KiB of input of its own, computes, and writes as much; caches are as a job finds them. The execution daemon \
         tells of a job's end in turns of a second: a short task's time comes in steps of one, on both workers.",
    );
    let ursa = Ursa::up("bench-htc")?;
    let local = ursa.guest("local", &ursa.hosts[0])?;
    ursa.join(&local, Way::Bridge, "ursa01")?;
    let remote = ursa.instance("remote", "203.0.113.11/24")?;
    ursa.join(&remote, Way::Tunnel, "ec2")?;
    let address = ursa.address("remote")?;
    bag::prepare(&ursa)?;
    // The first run finds nothing in any cache, on either machine; it is not counted.
    for worker in ["local", "remote"] {
        section.attempt("warming up", || bag::run(&ursa, &BAGS[0], worker));
    }
    let mut ran = Vec::new();
    for bag in &BAGS {
        let here: Vec<_> =
            (0..bag.rounds).filter_map(|_| section.attempt(bag.title, || bag::run(&ursa, bag, "local"))).collect();
        let Some(here) = Sample::new(Unit::Seconds, here.iter().map(Duration::as_secs_f64).collect()) else { continue };
        for round_trip in ROUND_TRIPS {
            for loss in bag.losses.iter().copied() {
                ursa.wan.set_delay(round_trip / 2);
                ursa.wan.set_loss(loss);
                let what = format!("{} at {round_trip:?}, loss {loss}", bag.title);
                let there = section.attempt(&what, || wire::during(&ursa, &address, || bag::run(&ursa, bag, "remote")));
                let (there, exchanges) = there.unzip();
                let efficiency = there.map(|there| here.median() / there.as_secs_f64());
                let more = there.map(|there| (there.as_secs_f64() - here.median()).max(0.0) / f64::from(bag.tasks));
                ran.push(Ran { bag, took: there, more, exchanges, round_trip, loss, efficiency });
            }
        }
        ursa.wan.set_delay(Duration::ZERO);
        ursa.wan.set_loss(0.0);
        section.note(format!("*{}*: {} of them took {} on the local worker.", bag.title, bag.tasks, here.show()));
    }
    tell(section, &ran);
    let farthest =
        ran.iter().find(|ran| ran.bag.title == BAGS[0].title && ran.round_trip == FARTHEST && ran.loss <= 0.0);
    if let Some(as_joined) = farthest.and_then(|ran| ran.took) {
        ursa.wan.set_delay(FARTHEST / 2);
        settings::compare(section, &ursa, &remote, as_joined)?;
    }
    Ok(())
}

fn tell(section: &mut Section, ran: &[Ran]) {
    for bag in &BAGS {
        let mut table = Table::new([bag.title, "no loss", "0.1 % lost", "1 % lost"]);
        for round_trip in ROUND_TRIPS {
            let cells = LOSSES.map(|loss| match efficiency(ran, bag, round_trip, loss) {
                Some(part) => Cell::Value(Unit::Part, part),
                None if bag.losses.contains(&loss) => Cell::Failed,
                None => Cell::Empty,
            });
            table.row(format!("{} ms RTT", round_trip.as_millis()), cells);
        }
        section.tables.push(table);
        for round_trip in ROUND_TRIPS {
            let what = format!("efficiency, {}, {} ms RTT", bag.title, round_trip.as_millis());
            let got = efficiency(ran, bag, round_trip, 0.0);
            section.goals.push(Goal::new(&what, Unit::Part, Bound::AtLeast(ASKED), got));
        }
    }
    section.tables.push(costs(ran));
    if let Some((table, why)) = talk(ran) {
        section.tables.push(table);
        section.goals = section.goals.iter().map(|goal| goal.clone().or_because(&why)).collect();
    }
    let series = BAGS.iter().flat_map(|bag| bag.losses.iter().map(|loss| series(ran, bag, *loss))).collect::<Vec<_>>();
    section.pictures.push(Picture {
        file: "htc-efficiency.svg".to_owned(),
        caption: "Efficiency of a remote worker against a local one, over the round trip".to_owned(),
        svg: plot::svg(&series, ASKED),
    });
}

/// What a task costs more on the remote worker, and how long it has to be for that not to matter.
fn costs(ran: &[Ran]) -> Table {
    let mut table = Table::new(["without loss", "a task costs more", "efficient from"]);
    for round_trip in ROUND_TRIPS {
        let alike = ran.iter().filter(|ran| ran.round_trip == round_trip && ran.loss <= 0.0);
        let more = Sample::new(Unit::Seconds, alike.filter_map(|ran| ran.more).collect());
        let length = more.as_ref().map(|more| more.median() * ASKED / (1.0 - ASKED));
        let length = length.map_or(Cell::Failed, |length| Cell::Value(Unit::Seconds, length));
        table.row(format!("{} ms RTT", round_trip.as_millis()), [more.into(), length]);
    }
    table
}

/// What a short task's share of the talk is, at each distance, and in words.
fn talk(ran: &[Ran]) -> Option<(Table, String)> {
    let short = |ran: &&Ran| ran.bag.title == BAGS[0].title && ran.loss <= 0.0;
    let share = |ran: &Ran| {
        let Exchanges { nfs, queue, others } = ran.exchanges?;
        Some([nfs, queue, others].map(|count| count / f64::from(ran.bag.tasks)))
    };
    let mut table = Table::new(["exchanges a short task, without loss", "NFS", "queue", "NIS"]);
    for ran in ran.iter().filter(short) {
        let cells = share(ran).map_or([const { Cell::Failed }; 3], |each| each.map(|n| Cell::Value(Unit::Count, n)));
        table.row(format!("{} ms RTT", ran.round_trip.as_millis()), cells);
    }
    let farthest = ran.iter().filter(short).find(|ran| ran.round_trip == FARTHEST)?;
    let each = share(farthest)?;
    let [nfs, queue] = [each[0], each[1]].map(|count| Unit::Count.show(count));
    let others = each[2];
    let waits = each.iter().sum::<f64>() * FARTHEST.as_secs_f64();
    let nis = if others < 0.05 { "never".to_owned() } else { format!("{} times", Unit::Count.show(others)) };
    let why = format!(
        "What a remote task costs more grows with the round trip; the tables tell how much it is, and from which length of a task \
         on it is two hundredths of it. Recorded at the front-end at {} ms, a short task and the front-end take turns {nfs} times for NFS \
         (it opens, reads and closes its input, makes, writes and closes its output, and asks for leave in each directory on the \
         way), {queue} times for Grid Engine, and {nis} for NIS. \
         One after another these are {}. Such a task costs {} more, counted in the execution daemon's turns of a second.",
        FARTHEST.as_millis(),
        Unit::Seconds.show(waits),
        Unit::Seconds.show(farthest.more?),
    );
    Some((table, why))
}

fn series(ran: &[Ran], bag: &Bag, loss: f64) -> plot::Series {
    let points = ROUND_TRIPS
        .iter()
        .filter_map(|round_trip| Some((round_trip.as_secs_f64() * 1000.0, efficiency(ran, bag, *round_trip, loss)?)));
    plot::Series { bag: bag.title.to_owned(), loss_percent: loss * 100.0, points: points.collect() }
}

#[allow(clippy::float_cmp)] // they are the very constants
fn efficiency(ran: &[Ran], bag: &Bag, round_trip: Duration, loss: f64) -> Option<f64> {
    let mut found = ran.iter().filter(|ran| ran.bag.title == bag.title);
    found.find(|ran| ran.round_trip == round_trip && ran.loss == loss)?.efficiency
}
