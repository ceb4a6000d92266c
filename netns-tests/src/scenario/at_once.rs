//! Many workers that join at the same moment, through tunnels from one cloud.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use super::Outcome;
use crate::error::LabResult;
use crate::machine::Machine;
use crate::uml::Uml;
use crate::ursa::{Ursa, Way};

/// How many machines are made, or tokens asked for, side by side.
const HANDS: usize = 8;

/// A worker that has joined with all the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its name.
    pub name: String,
    /// Whether it is a user-mode-linux machine.
    pub has_kernel: bool,
    /// From the moment at which all began to its being ready; or what its join said instead.
    pub ready: Result<Duration, String>,
}

/// How many of those who join have a kernel of their own, and how many are namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crowd {
    /// User-mode-linux machines, named `u1`, `u2`, …
    pub guests: usize,
    /// Machines of namespaces, named `n1`, `n2`, …
    pub light: usize,
}

impl Crowd {
    /// All of them.
    pub fn count(self) -> usize {
        self.guests + self.light
    }
}

/// One of the crowd.
enum Newcomer {
    Guest(Uml),
    Light(Machine),
}

impl Newcomer {
    fn machine(&self) -> &Machine {
        match self {
            Self::Guest(guest) => guest,
            Self::Light(machine) => machine,
        }
    }
}

/// Draws a cluster without NFS (machines of namespaces mount nothing), and lets a crowd join it at once. At most 200.
///
/// # Errors
/// The cluster or a machine did not come up. A join that fails is an [`Arrival`].
pub fn join_at_once(lab: &str, crowd: Crowd) -> Outcome<Vec<Arrival>> {
    let ursa = Ursa::light(lab)?;
    let numbers: Vec<usize> = (1..=crowd.count()).collect();
    let workers = side_by_side(&numbers, |number| {
        let address = format!("203.0.113.{}/24", 10 + number);
        let newcomer = match number.checked_sub(crowd.guests) {
            None | Some(0) => Newcomer::Guest(ursa.instance(&format!("u{number}"), &address)?),
            Some(light) => Newcomer::Light(ursa.light_instance(&format!("n{light}"), &address)?),
        };
        let token = ursa.token(newcomer.machine().name(), Way::Tunnel, "ec2")?;
        Ok((newcomer, token))
    })?;
    let all_there = Barrier::new(crowd.count());
    let joins = std::thread::scope(|scope| {
        let (ursa, all_there) = (&ursa, &all_there);
        let start = |(newcomer, token): &'_ (Newcomer, String)| arrive(ursa, newcomer, token, all_there);
        let joins: Vec<_> = workers.iter().map(|worker| scope.spawn(move || start(worker))).collect();
        joins.into_iter().map(|join| join.join().expect("a join does not panic")).collect::<LabResult<Vec<_>>>()
    });
    Ok(joins?)
}

fn arrive(ursa: &Ursa, newcomer: &Newcomer, token: &str, all_there: &Barrier) -> LabResult<Arrival> {
    let machine = newcomer.machine();
    all_there.wait();
    let start = Instant::now();
    let end = ursa.try_join(machine, Way::Tunnel, token)?;
    let ready = if end.status == 0 { Ok(start.elapsed()) } else { Err(format!("{}{}", end.out(), end.err())) };
    let has_kernel = matches!(newcomer, Newcomer::Guest(_));
    Ok(Arrival { name: machine.name().to_owned(), has_kernel, ready })
}

/// Does it for each, some at a time; in the order of `items`.
fn side_by_side<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> LabResult<R> + Sync) -> LabResult<Vec<R>> {
    let mut done = Vec::with_capacity(items.len());
    for some in items.chunks(HANDS) {
        let results = std::thread::scope(|scope| {
            let hands: Vec<_> = some.iter().map(|item| scope.spawn(|| work(item))).collect();
            hands.into_iter().map(|hand| hand.join().expect("no panic")).collect::<LabResult<Vec<R>>>()
        });
        done.extend(results?);
    }
    Ok(done)
}
