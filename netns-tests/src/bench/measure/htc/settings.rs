//! What would help a worker that is far away: the bag again, with one setting of its NFS mount another.

use std::time::Duration;

use super::bag::{self, BAGS};
use crate::bench::Outcome;
use crate::bench::report::{Cell, Section, Table};
use crate::bench::statistics::Unit;
use crate::uml::Uml;
use crate::ursa::Ursa;

/// As a join mounts it, and what is different then.
const SETTINGS: [(&str, &str); 3] = [
    (
        "nconnect=4 (connections to the server)",
        "umount /home && mount -t nfs4 -o OPTIONS,nconnect=4 10.77.0.1:/home /home",
    ),
    (
        "actimeo=600 (attributes for ten minutes)",
        "umount /home && mount -t nfs4 -o OPTIONS,actimeo=600 10.77.0.1:/home /home",
    ),
    (
        "read ahead 16 MiB",
        "umount /home && mount -t nfs4 -o OPTIONS 10.77.0.1:/home /home && echo 16384 >/sys/class/bdi/$(mountpoint -d /home)/read_ahead_kb",
    ),
];

/// Runs the short bag on the remote worker with each setting; `as_joined` is how long it takes as it is.
pub(super) fn compare(section: &mut Section, ursa: &Ursa, remote: &Uml, as_joined: Duration) -> Outcome<()> {
    let bag = &BAGS[0];
    let mut table = Table::new(["short tasks at 80 ms, without loss", "the bag took", "as joined"]);
    let options = remote.run("findmnt -no OPTIONS /home | sed 's/,clientaddr=.*//'").expect_ok()?;
    for (title, change) in SETTINGS {
        let took = section.attempt(title, || {
            remote.run(&change.replace("OPTIONS", options.trim())).expect_ok()?;
            bag::run(ursa, bag, "remote")
        });
        let took = took.map_or(Cell::Failed, |took| Cell::Value(Unit::Seconds, took.as_secs_f64()));
        table.row(title, [took, Cell::Value(Unit::Seconds, as_joined.as_secs_f64())]);
    }
    section.tables.push(table);
    Ok(())
}
