//! Many workers that join at the same moment.

use std::time::Duration;

use crate::bench::report::{Bound, Goal, Section, Table};
use crate::bench::statistics::{Sample, Unit};
use crate::bench::{Measurement, Outcome};
use crate::scenario::{Arrival, Crowd, join_at_once};

/// This measurement.
pub const AT_ONCE: Measurement = Measurement { name: "at-once", title: "A hundred workers that join at once", measure };

/// As many machines as this one bears without their own slowness being all that is measured, the rest namespaces.
const CROWD: Crowd = Crowd { guests: 8, light: 92 };

fn measure(section: &mut Section) -> Outcome<()> {
    section.note(format!(
        "{} workers start `landbridge-node join` at the same moment, through tunnels from one cloud: {} user-mode-linux machines, and {} of \
         namespaces, which mount nothing, so that nobody does; each with a tunnel, NIS, an execution daemon and a canary job of its own. \
         All of them and the front-end share this machine's processors. OpenVPN itself, without a word about it, takes 100 first packets \
         in ten seconds and drops the others.",
        CROWD.count(),
        CROWD.guests,
        CROWD.light,
    ));
    let arrivals = join_at_once("bench-at-once", CROWD)?;
    for arrival in &arrivals {
        if let Err(said) = &arrival.ready {
            section.failures.push(format!("{}: {said}", arrival.name));
        }
    }
    let ready = |of: fn(&Arrival) -> bool| {
        let there = arrivals.iter().filter(|a| of(a)).filter_map(|a| a.ready.as_ref().ok());
        let mut seconds: Vec<f64> = there.map(Duration::as_secs_f64).collect();
        seconds.sort_by(f64::total_cmp);
        seconds
    };
    let (all, guests) = (ready(|_| true), ready(|arrival| arrival.has_kernel));
    let at = |of: &[f64], place: usize| of.get(place).map(|seconds| Sample::single(Unit::Seconds, *seconds)).into();
    let mut table = Table::new(["from the start of all", "to ready"]);
    table.row("the first", [at(&all, 0)]);
    table.row("the middle one", [at(&all, all.len() / 2)]);
    table.row("the last", [at(&all, all.len().wrapping_sub(1))]);
    table.row("the last machine with a kernel of its own", [at(&guests, guests.len().wrapping_sub(1))]);
    section.tables.push(table);
    let refused = f64::from(u32::try_from(CROWD.count() - all.len())?);
    let what = format!("{} workers at once, not ready in the end", CROWD.count());
    section.goals = vec![Goal::new(&what, Unit::Count, Bound::AtMost(0.0), Some(refused))];
    Ok(())
}
