//! Many workers that join at the same moment.

use std::time::Duration;

use crate::bench::report::{Bound, Goal, Section, Table};
use crate::bench::statistics::{Sample, Unit};
use crate::bench::{Measurement, Outcome};
use crate::scenario::join_at_once;

/// This measurement.
pub const AT_ONCE: Measurement = Measurement { name: "at-once", title: "A hundred workers that join at once", measure };

const WORKERS: usize = 100;

fn measure(section: &mut Section) -> Outcome<()> {
    section.note(format!(
        "{WORKERS} workers start `landbridge-node join` at the same moment, through tunnels from one cloud; machines of namespaces, which \
         mount nothing, each with a tunnel, NIS, an execution daemon and a canary job of its own. All of them and the front-end share this \
         machine's processors. OpenVPN itself, without a word about it, takes 100 first packets in ten seconds and drops the others.",
    ));
    let arrivals = join_at_once("bench-at-once", WORKERS)?;
    for arrival in &arrivals {
        if let Err(said) = &arrival.ready {
            section.failures.push(format!("{}: {said}", arrival.name));
        }
    }
    let mut ready: Vec<f64> =
        arrivals.iter().filter_map(|a| a.ready.as_ref().ok()).map(Duration::as_secs_f64).collect();
    ready.sort_by(f64::total_cmp);
    let at = |place: usize| ready.get(place).map(|seconds| Sample::single(Unit::Seconds, *seconds));
    let mut table = Table::new(["from the start of all", "to ready"]);
    table.row("the first", [at(0).into()]);
    table.row("the middle one", [at(ready.len() / 2).into()]);
    table.row("the last", [at(ready.len().wrapping_sub(1)).into()]);
    section.tables.push(table);
    let refused = f64::from(u32::try_from(WORKERS - ready.len())?);
    let what = format!("{WORKERS} workers at once, not ready in the end");
    section.goals = vec![Goal::new(&what, Unit::Count, Bound::AtMost(0.0), Some(refused))];
    Ok(())
}
