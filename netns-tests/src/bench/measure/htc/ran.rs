//! What came out of a bag on one way to the cloud, and where it is found again.

use std::time::Duration;

use super::bag::Bag;
use super::wire::Exchanges;
use crate::ursa::Ursa;

/// A way to the cloud: its round trip, and the part of packets that it loses each way.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Distance {
    pub(super) round_trip: Duration,
    pub(super) loss: f64,
}

impl Distance {
    /// One that loses nothing.
    pub(super) const fn of(round_trip: Duration) -> Self {
        Self { round_trip, loss: 0.0 }
    }

    pub(super) fn set(self, ursa: &Ursa) {
        ursa.wan.set_delay(self.round_trip / 2);
        ursa.wan.set_loss(self.loss);
    }
}

/// How long a bag took, on a local worker and on a remote one, and what the remote one and the front-end said meanwhile.
pub(super) struct Ran {
    pub(super) bag: &'static Bag,
    pub(super) over: Distance,
    /// `None` when the bag failed.
    pub(super) took: Option<Took>,
    pub(super) exchanges: Option<Exchanges>,
}

/// In seconds.
#[derive(Clone, Copy)]
pub(super) struct Took {
    pub(super) local: f64,
    pub(super) remote: f64,
}

impl Took {
    pub(super) fn efficiency(self) -> f64 {
        self.local / self.remote
    }

    /// What the way costs; never less than nothing.
    pub(super) fn more(self) -> f64 {
        (self.remote - self.local).max(0.0)
    }
}

/// All bags over all ways.
#[derive(Default)]
pub(super) struct Book(pub(super) Vec<Ran>);

impl Book {
    pub(super) fn find(&self, bag: &Bag, over: Distance) -> Option<&Ran> {
        self.0.iter().find(|ran| ran.bag.title == bag.title && ran.over == over)
    }

    pub(super) fn took(&self, bag: &Bag, over: Distance) -> Option<Took> {
        self.find(bag, over)?.took
    }
}
