//! The tables, the figures to reach, the plot, and what holds the figures back. Pure.

use super::bag::{Bag, LONG, ONE, SHORT};
use super::ran::{Book, Distance, Took};
use super::wire::Exchanges;
use super::{FARTHEST, LOSSES, plot};
use crate::bench::report::{Bound, Cell, Goal, Picture, Section, Table};
use crate::bench::statistics::Unit;

/// The figure to reach where no packets are lost.
const ASKED: f64 = 0.98;
const JUDGED: [&Bag; 2] = [&SHORT, &LONG];

/// Adds all to the section.
pub(super) fn tell(section: &mut Section, book: &Book) {
    section.tables.extend(JUDGED.map(|bag| efficiency(book, bag)));
    section.tables.push(costs(book));
    section.tables.push(exchanges(book));
    let why = why(book);
    for bag in JUDGED {
        for round_trip in bag.round_trips.iter().copied() {
            let what = format!("efficiency, {}, {} ms RTT", bag.title, round_trip.as_millis());
            let got = book.took(bag, Distance::of(round_trip)).map(Took::efficiency);
            let goal = Goal::new(&what, Unit::Part, Bound::AtLeast(ASKED), got);
            section.goals.push(match &why {
                Some(why) => goal.or_because(why),
                None => goal,
            });
        }
    }
    let series = JUDGED.iter().flat_map(|bag| bag.losses.iter().map(|loss| series(book, bag, *loss)));
    section.pictures.push(Picture {
        file: "htc-efficiency.svg".to_owned(),
        caption: "Efficiency of a remote worker against a local one, over the round trip".to_owned(),
        svg: plot::svg(&series.collect::<Vec<_>>(), ASKED),
    });
}

fn efficiency(book: &Book, bag: &Bag) -> Table {
    let mut table = Table::new([bag.title, "no loss", "0.1 % lost", "1 % lost"]);
    for round_trip in bag.round_trips.iter().copied() {
        let cells = LOSSES.map(|loss| match book.took(bag, Distance { round_trip, loss }) {
            Some(took) => Cell::Value(Unit::Part, took.efficiency()),
            None if bag.losses.contains(&loss) => Cell::Failed,
            None => Cell::Empty,
        });
        table.row(format!("{} ms RTT", round_trip.as_millis()), cells);
    }
    table
}

/// What a task costs more on the remote worker, and how long it has to be for that not to matter.
fn costs(book: &Book) -> Table {
    let mut table = Table::new(["a task by itself", "local", "remote", "costs more", "with that, efficient from"]);
    for bag in [&ONE, &LONG] {
        for round_trip in bag.round_trips.iter().copied() {
            let cells = book.took(bag, Distance::of(round_trip)).map_or([const { Cell::Failed }; 4], |took| {
                let more = took.more();
                let times = [took.local, took.remote, more, more * ASKED / (1.0 - ASKED)];
                times.map(|seconds| Cell::Value(Unit::Seconds, seconds))
            });
            table.row(format!("{}, {} ms RTT", bag.title, round_trip.as_millis()), cells);
        }
    }
    table
}

fn exchanges(book: &Book) -> Table {
    let mut table = Table::new(["exchanges a task, without loss", "NFS", "queue", "NIS"]);
    for bag in JUDGED {
        for round_trip in bag.round_trips.iter().copied() {
            let cells = each(book, bag, Distance::of(round_trip))
                .map_or([const { Cell::Failed }; 3], |each| each.map(|count| Cell::Value(Unit::Count, count)));
            table.row(format!("{}, {} ms RTT", bag.title, round_trip.as_millis()), cells);
        }
    }
    table
}

/// With NFS, the queue, and NIS.
fn each(book: &Book, bag: &Bag, over: Distance) -> Option<[f64; 3]> {
    let Exchanges { nfs, queue, others } = book.find(bag, over)?.exchanges?;
    Some([nfs, queue, others].map(|count| count / f64::from(bag.tasks)))
}

/// What holds the figure back, from what was recorded.
fn why(book: &Book) -> Option<String> {
    let farthest = Distance::of(FARTHEST);
    let [nfs, queue, _] = each(book, &SHORT, farthest)?;
    let [nfs_of_long, ..] = each(book, &LONG, farthest)?;
    let more = |bag| Some(Unit::Seconds.show(book.took(bag, farthest)?.more()));
    Some(format!(
        "What a remote task costs more grows with the round trip; the tables tell how much it is, and from which length of a task \
         on it is two hundredths of it. Recorded at the front-end at {} ms, a short task and the front-end take turns {} times for NFS \
         (it opens, reads and closes its input, makes, writes and closes its output, and asks for leave in each directory on the \
         way) and {} times for Grid Engine, one after another. By itself it has its output \
         whole {} later than on the local worker; in a bag of several each waits besides for the execution daemon's next turn of a second. A \
         task of a minute takes {} turns for NFS (one renews its lease; what was known of the directories is too old when it writes, after 30 s: \
         nfs(5), acdirmin), and is {} later.",
        FARTHEST.as_millis(),
        Unit::Count.show(nfs),
        Unit::Count.show(queue),
        more(&ONE)?,
        Unit::Count.show(nfs_of_long),
        more(&LONG)?,
    ))
}

fn series(book: &Book, bag: &Bag, loss: f64) -> plot::Series {
    let points = bag.round_trips.iter().filter_map(|round_trip| {
        let took = book.took(bag, Distance { round_trip: *round_trip, loss })?;
        Some((round_trip.as_secs_f64() * 1000.0, took.efficiency()))
    });
    plot::Series { bag: bag.title.to_owned(), loss_percent: loss * 100.0, points: points.collect() }
}
