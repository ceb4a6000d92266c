//! High-throughput computing: the same bag of tasks on a local and on a remote worker, over ways of every kind.

mod bag;
mod plot;
mod ran;
mod settings;
mod tell;
mod wire;

use std::time::Duration;

use crate::bench::report::Section;
use crate::bench::statistics::{Sample, Unit};
use crate::bench::{Measurement, Outcome};
use crate::ursa::{Ursa, Way};

use bag::{Bag, Beside, LONG, ONE, SHORT};
use ran::{Book, Distance, Ran, Took};

/// This measurement.
pub const HTC: Measurement = Measurement { name: "htc", title: "A bag of tasks, local and remote", measure };

/// The names of the two workers.
const LOCAL: &str = "local";
const REMOTE: &str = "remote";
/// Round trips to the cloud.
const ROUND_TRIPS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(20), FARTHEST];
const FARTHEST: Duration = Duration::from_millis(80);
/// Parts of packets lost each way.
const LOSSES: [f64; 3] = [0.0, 0.001, 0.01];

fn measure(section: &mut Section) -> Outcome<()> {
    section.note(
        "Array jobs of Grid Engine that read their input from, and write their output to, ada's NFS home, on one local worker (behind \
         a host's bridge) and on one in the cloud (behind the tunnel); each a user-mode-linux machine with one processor and \
         one slot. *Efficiency* is the local worker's time for the whole bag, from submission to the last byte of the last output on the \
         front-end, divided by the remote one's. Each task reads 256 KiB of input of its own, computes, and writes as much; caches are as \
         a job finds them. It computes by the clock, a tenth of a second or 58: two processors of this machine that do the same differ \
         by more than the two hundredths that are looked for. The execution daemon tells of a task's end in turns of a second, and \
         the next task of its slot begins only then: in a bag of several short tasks each but the last takes such a turn or two, \
         on both workers. A task of a minute runs on both at the same time.",
    );
    let ursa = Ursa::up("bench-htc")?;
    let local = ursa.guest(LOCAL, &ursa.hosts[0])?;
    ursa.join(&local, Way::Bridge, "ursa01")?;
    let remote = ursa.instance(REMOTE, "203.0.113.11/24")?;
    ursa.join(&remote, Way::Tunnel, "ec2")?;
    bag::prepare(&ursa)?;
    // The first run finds nothing in any cache, on either machine; it is not counted.
    for worker in [LOCAL, REMOTE] {
        section.attempt("warming up", || bag::run(&ursa, &SHORT, [worker]));
    }
    let address = ursa.address(REMOTE)?;
    let mut book = Book::default();
    for bag in [&SHORT, &ONE, &LONG] {
        over_all_ways(section, &ursa, &address, bag, &mut book);
    }
    tell::tell(section, &book);
    Distance::of(FARTHEST).set(&ursa);
    settings::compare(section, &ursa, &remote)
}

fn over_all_ways(section: &mut Section, ursa: &Ursa, remote: &str, bag: &'static Bag, book: &mut Book) {
    Distance::of(Duration::ZERO).set(ursa);
    let rounds = if let Beside::Before(rounds) = bag.beside { rounds } else { 0 };
    let before = (0..rounds).filter_map(|_| section.attempt(bag.title, || bag::run(ursa, bag, [LOCAL])));
    let before = Sample::new(Unit::Seconds, before.map(|[local]| local.as_secs_f64()).collect());
    if let Some(before) = &before {
        section.note(format!("*{}*: {} on the local worker.", bag.title, before.show()));
    }
    for loss in bag.losses.iter().copied() {
        for round_trip in bag.round_trips.iter().copied() {
            let over = Distance { round_trip, loss };
            over.set(ursa);
            let what = format!("{} at {round_trip:?}, loss {loss}", bag.title);
            let ran = section.attempt(&what, || wire::during(ursa, remote, || beside(ursa, bag, before.as_ref())));
            let (took, exchanges) = ran.unzip();
            book.0.push(Ran { bag, over, took, exchanges });
        }
    }
}

/// Runs the bag on the remote worker, and on the local one if that has not been done before.
fn beside(ursa: &Ursa, bag: &Bag, before: Option<&Sample>) -> Outcome<Took> {
    let (local, remote) = match (before, bag.beside) {
        (Some(before), _) => (before.median(), bag::run(ursa, bag, [REMOTE])?[0]),
        (None, Beside::Meanwhile) => {
            let [local, remote] = bag::run(ursa, bag, [LOCAL, REMOTE])?;
            (local.as_secs_f64(), remote)
        }
        (None, Beside::Before(_)) => return Err("it did not run on the local worker".into()),
    };
    Ok(Took { local, remote: remote.as_secs_f64() })
}
