//! What would help a worker that is far away: a pair of tasks, with one setting of its NFS mount another.

use std::time::Duration;

use super::REMOTE;
use super::bag::{self, PAIR};
use crate::bench::Outcome;
use crate::bench::report::{Cell, Section, Table};
use crate::bench::statistics::Unit;
use crate::uml::Uml;
use crate::ursa::Ursa;

/// A way of mounting.
struct Setting {
    title: &'static str,
    /// What is done once, before: shell.
    before: &'static str,
    /// Beside the options of a join.
    options: &'static str,
    /// What is done after mounting: shell.
    after: &'static str,
    /// Whether what a task reads lies in its cache.
    filled: bool,
}

const AS_JOINED: Setting =
    Setting { title: "mounted as by a join", before: ":", options: "", after: ":", filled: false };
/// FS-Cache wants a file system with extended attributes: cachefilesd.conf(5).
const FS_CACHE: &str = "modprobe --all loop cachefiles && truncate --size 128M /disk && mkfs.ext4 -q /disk && mkdir -p /var/cache/fscache && \
    mount -o loop /disk /var/cache/fscache && cachefilesd -f /etc/cachefilesd.conf";

const AS_FOUND: &str = "the input was read before";
const TWO_SLOTS: &str = "the input was read before, two slots for the one processor";

const SETTINGS: [Setting; 5] = [
    AS_JOINED,
    Setting { title: "nconnect=4 (connections to the server)", options: ",nconnect=4", ..AS_JOINED },
    Setting { title: "actimeo=600 (attributes for ten minutes)", options: ",actimeo=600", ..AS_JOINED },
    Setting {
        title: "read ahead 16 MiB",
        after: "echo 16384 >/sys/class/bdi/$(mountpoint -d /home)/read_ahead_kb",
        ..AS_JOINED
    },
    Setting { title: "FS-Cache, filled", before: FS_CACHE, options: ",fsc", filled: true, ..AS_JOINED },
];

/// Runs a pair of short tasks on the remote worker: as it is, and with each setting.
pub(super) fn compare(section: &mut Section, ursa: &Ursa, remote: &Uml) -> Outcome<()> {
    let mut table = Table::new(["two short tasks at 80 ms, without loss", "they took"]);
    let cell =
        |took: Option<Duration>| took.map_or(Cell::Failed, |took| Cell::Value(Unit::Seconds, took.as_secs_f64()));
    table.row(AS_FOUND, [cell(section.attempt(AS_FOUND, || pair(ursa)))]);
    table.row(TWO_SLOTS, [cell(section.attempt(TWO_SLOTS, || with_two_slots(ursa)))]);
    let options = remote.run("findmnt -no OPTIONS /home | sed 's/,clientaddr=.*//'").expect_ok()?;
    for setting in SETTINGS {
        let took = section.attempt(setting.title, || setting.time(ursa, remote, options.trim()));
        table.row(format!("mounted anew, {}", setting.title), [cell(took)]);
    }
    section.tables.push(table);
    Ok(())
}

fn pair(ursa: &Ursa) -> Outcome<Duration> {
    let [took] = bag::run(ursa, &PAIR, [REMOTE])?;
    Ok(took)
}

/// As a template's `slots` would have it.
fn with_two_slots(ursa: &Ursa) -> Outcome<Duration> {
    let slots = |count: u8| ursa.grid(&format!("qconf -rattr queue slots {count} all.q@{REMOTE}"));
    slots(2)?;
    let took = pair(ursa);
    slots(1)?;
    took
}

impl Setting {
    fn time(&self, ursa: &Ursa, remote: &Uml, as_joined: &str) -> Outcome<Duration> {
        let Self { before, options, after, .. } = self;
        let mount = format!("umount /home && mount -t nfs4 -o {as_joined}{options} 10.77.0.1:/ /home && {after}");
        remote.run(before).expect_ok()?;
        if self.filled {
            remote.run(&mount).expect_ok()?;
            ursa.as_ada(remote, "cat bag/in/* >/dev/null")?;
        }
        remote.run(&mount).expect_ok()?;
        pair(ursa)
    }
}
