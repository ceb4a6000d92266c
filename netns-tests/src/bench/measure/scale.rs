//! The control plane of large clusters: a real daemon on a front-end of the lab, with a crew that never was.

use std::fmt::Write as _;
use std::time::Duration;

use super::inside;
use crate::bench::report::{Bound, Cell, Goal, Section, Table};
use crate::bench::statistics::{Sample, Unit};
use crate::bench::{Measurement, Outcome};
use crate::ursa::{CLUSTER_TOML, Ursa};

/// This measurement.
pub const SCALE: Measurement = Measurement { name: "scale", title: "The control plane: 10 to 10,000 workers", measure };

const CREWS: [u32; 4] = [10, 100, 1_000, 10_000];
const HOSTS: u32 = 50;
/// The crew that the design's figures are about.
const LARGE: u32 = 1_000;
const PATIENCE: Duration = Duration::from_mins(3);

/// What is measured of one crew.
struct Crew {
    reconcile: Option<Sample>,
    unchanged: Option<Sample>,
    up: Option<Sample>,
    list: Option<Sample>,
    plan: Option<Sample>,
    memory_mib: f64,
    database_mib: f64,
    heartbeats: f64,
}

fn measure(section: &mut Section) -> Outcome<()> {
    section.note(format!(
        "A front-end of the lab with its real daemon, {HOSTS} enrolled hosts, and a crew of workers behind the tunnel that exist \
         in its memory, its register of certificates, its hosts files, NIS maps and tunnel admissions only; no queue, since \
         Grid Engine's own cost is not ours. *One reconcile* is the daemon's: read who is in the cluster, render the whole \
         machine, observe it, compare, nothing to do; *with nobody new* it finds that nobody came or went since the one before, \
         and does the rest. *One more worker* is `landbridge token create`, the whole command: record, \
         lease, token, hosts file, NIS maps, tunnel admission. *Memory* is the daemon's resident set after all this. \
         *Heartbeats* are workers' requests for orders over TLS with their own certificates, each noted on disk, asked from \
         the same machine.",
    ));
    let mut table = Table::new([
        "workers",
        "one reconcile",
        "with nobody new",
        "landbridge up",
        "worker list",
        "one more worker",
        "memory",
        "database",
        "heartbeats",
    ]);
    let mut large = None;
    for count in CREWS {
        let Some(crew) = section.attempt(&format!("{count} workers"), || crew(count)) else {
            table.row(count.to_string(), [Cell::Failed]);
            continue;
        };
        table.row(
            count.to_string(),
            [
                crew.reconcile.clone().into(),
                crew.unchanged.clone().into(),
                crew.up.clone().into(),
                crew.list.clone().into(),
                crew.plan.clone().into(),
                Cell::Value(Unit::Mebibytes, crew.memory_mib),
                Cell::Value(Unit::Mebibytes, crew.database_mib),
                Cell::Value(Unit::PerSecond, crew.heartbeats),
            ],
        );
        if count == LARGE {
            large = Some(crew);
        }
    }
    section.tables.push(table);
    let reconcile = large.as_ref().and_then(|crew| crew.reconcile.as_ref()).map(Sample::median);
    let memory = large.as_ref().map(|crew| crew.memory_mib);
    section.goals = vec![
        Goal::new("1,000 workers: one reconcile", Unit::Milliseconds, Bound::AtMost(50.0), reconcile),
        Goal::new("1,000 workers: the daemon's memory", Unit::Mebibytes, Bound::AtMost(64.0), memory),
    ];
    Ok(())
}

fn crew(count: u32) -> Outcome<Crew> {
    let ursa = Ursa::draw("bench-scale")?;
    ursa.frontend.write_file("/etc/landbridge/cluster.toml", cluster_file())?;
    let on = |line: &str| ursa.frontend.run(line).deadline(PATIENCE).expect_ok();
    on("mkdir -p -m 700 /var/lib/landbridge && landbridge pki init")?;
    on(&format!("landbridge-bench probe crew {count}"))?;
    on("landbridge up")?;
    let timed = |command| inside::timed(&ursa.frontend, 5, command);
    let reconcile = inside::nanoseconds(&on("landbridge-bench probe reconcile --anew 9")?);
    let unchanged = inside::nanoseconds(&on("landbridge-bench probe reconcile 9")?);
    let up = timed("landbridge up")?;
    let list = timed("landbridge worker list")?;
    let plan = timed("landbridge token create --via tunnel --on ec2")?;
    let heartbeats = number(&on("landbridge-bench probe heartbeats 8 2")?)?;
    let pid = ursa.daemon()?;
    let resident = number(&on(&format!("awk '/^VmRSS/ {{ print $2 }}' /proc/{pid}/status"))?)?;
    let database = number(&on("du -bc /var/lib/landbridge/landbridge.db* | tail -1 | cut -f1")?)?;
    let (memory_mib, database_mib) = (resident / 1024.0, database / 1_048_576.0);
    Ok(Crew { reconcile, unchanged, up, list, plan, memory_mib, database_mib, heartbeats })
}

/// The design's cluster with more hosts, more addresses and no queue.
fn cluster_file() -> String {
    let (head, _) = CLUSTER_TOML.split_once("[[host]]").unwrap_or((CLUSTER_TOML, ""));
    let mut file = head.replace("10.77.1.0/24", "10.77.64.0/18").replace("\"sge\"", "\"none\"");
    for n in 1..=HOSTS {
        let _ = write!(
            file,
            "[[host]]\nname = \"ursa{n:02}\"\nunderlay = \"192.0.2.{}\"\ncpus = 32\nmemory = \"64 GiB\"\n\n",
            10 + n
        );
    }
    file + "[[host]]\nname = \"ec2\"\nec2 = { region = \"us-east-1\", instance-type = \"m1.small\", workers = 10000 }\n"
}

fn number(text: &str) -> Outcome<f64> {
    text.trim().parse().map_err(|_| format!("no number: {text}").into())
}
