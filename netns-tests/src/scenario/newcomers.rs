//! The design's cluster, up, with machines that have not joined: for a look at a join by hand.

use std::sync::Arc;

use super::{Outcome, Scenario};
use crate::lab::Lab;
use crate::ursa::Ursa;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "newcomers",
    about: "the cluster is up; w1 on a host and e1 in the cloud are booted, and have never heard of it",
    build,
};

fn build(lab: &Arc<Lab>) -> Outcome<()> {
    let ursa = Ursa::draw_in(Arc::clone(lab))?;
    ursa.bring_up()?;
    println!("the front-end is up; ursa01 and ursa02 are its hosts");
    ursa.guest("w1", &ursa.hosts[0])?;
    ursa.instance("e1", "203.0.113.11/24")?;
    println!("w1 and e1 are booted; landbridge token create, on the front-end, makes them workers");
    Ok(())
}
