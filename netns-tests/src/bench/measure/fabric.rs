//! A machine's network: two hundred links beside `ip -batch`, and what an unchanged one costs.

use std::fmt::Write as _;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use landbridge_fabric::{
    InterfaceName, Kernel, LinkKind, LinkSpec, Mtu, Network, NetworkJournal, Owner, Vni, reconcile,
};

use super::inside::timed;
use crate::bench::report::{Bound, Cell, Goal, Section, Table};
use crate::bench::statistics::{Sample, Unit};
use crate::bench::{Measurement, Outcome};
use crate::net::netns::Netns;
use crate::ursa::Ursa;

/// This measurement.
pub const FABRIC: Measurement =
    Measurement { name: "fabric", title: "A machine's network: beside `ip -batch`", measure };

const ROUNDS: u32 = 7;
const LINKS: u32 = 200;
/// The other end points that each VXLAN floods to.
const PEERS: [u8; 2] = [11, 12];
/// The kernel takes a namespace's links away after it is gone, holding the lock that making links needs, and tells nobody.
const CLEARED: Duration = Duration::from_secs(1);

fn measure(section: &mut Section) -> Outcome<()> {
    section.note(format!(
        "A bridge and {} VXLAN ports, each with an alias, its MTU, its bridge and {} flood entries, made in an empty network \
         namespace: by `ip -batch` and `bridge -batch`, as a person would write it, and by Landbridge, which observes, plans, \
         writes the inverse of each step to disk, acts, and observes again. Then Landbridge once more, with nothing to change, \
         and `landbridge up` as a whole command on a front-end of the lab on which nothing has changed.",
        LINKS - 1,
        PEERS.len(),
    ));
    let directory = tempfile::tempdir()?;
    std::fs::write(directory.path().join("ip"), links_batch())?;
    std::fs::write(directory.path().join("bridge"), flood_batch())?;
    let (mut theirs, mut ours, mut again) = (vec![], vec![], vec![]);
    for round in 0..ROUNDS {
        theirs.push(by_batch(directory.path())?);
        std::thread::sleep(CLEARED);
        let (first, second) = by_landbridge(directory.path(), round)?;
        ours.push(first);
        again.push(second);
        std::thread::sleep(CLEARED);
    }
    let [theirs, ours, again] = [theirs, ours, again].map(|times| Sample::of_milliseconds(&times));
    let (whole, start) = section.attempt("landbridge up", unchanged_up).unwrap_or_default();
    let ratio = ours.as_ref().zip(theirs.as_ref()).map(|(ours, theirs)| ours.median() / theirs.median());
    let mut table = Table::new(["200 links", "time", "against ip -batch"]);
    // What the look before and the one after take, which a batch doesn't have.
    let blind = ours.as_ref().zip(again.as_ref()).zip(theirs.as_ref());
    let blind = blind.map(|((ours, again), theirs)| (ours.median() - 2.0 * again.median()) / theirs.median());
    let looks = again.as_ref().map(Sample::show);
    let against = |sample: &Option<Sample>| Cell::times(sample.as_ref(), theirs.as_ref());
    table.row("ip -batch, bridge -batch", [theirs.clone().into(), Cell::Empty]);
    table.row("Landbridge", [ours.clone().into(), against(&ours)]);
    table.row("Landbridge, nothing to change", [again.clone().into(), against(&again)]);
    section.tables.push(table);
    let mut table = Table::new(["front-end of the lab", "time"]);
    table.row("landbridge up, nothing to change", [whole.clone().into()]);
    table.row("landbridge --version, a start and no more", [start.clone().into()]);
    section.tables.push(table);
    let median = |sample: Option<Sample>| sample.map(|sample| sample.median());
    let links = Goal::new("200 links, against ip -batch", Unit::Times, Bound::AtMost(1.2), ratio);
    section.goals = vec![
        match blind.zip(looks) {
            Some((blind, looks)) => links.or_because(format!(
                "Landbridge looks at all links before it acts, and again after it, which takes {looks} each time, as the row with \
                 nothing to change tells; a batch does not look. Without the two looks it would be {blind:.2} ×."
            )),
            None => links,
        },
        Goal::new("200 links unchanged", Unit::Milliseconds, Bound::AtMost(20.0), median(again)),
        Goal::new(
            "landbridge up, unchanged, the whole command",
            Unit::Milliseconds,
            Bound::AtMost(20.0),
            median(whole),
        )
        .or_because(format!(
            "{} of it are the program's start; the rest is the look at everything that the front-end has, for which `nft` is asked too.",
            start.map_or_else(|| "Some".to_owned(), |start| start.show()),
        )),
    ];
    Ok(())
}

fn name(text: &str) -> InterfaceName {
    InterfaceName::new(text).expect("a name of at most 15 bytes")
}

fn wish() -> Network {
    let mtu = |bytes| Mtu::new(bytes).expect("an MTU");
    let plain = |kind, mtu| LinkSpec { kind, mtu, controller: None, addresses: [].into() };
    let mut bridge = plain(LinkKind::Bridge, Mtu::ETHERNET);
    bridge.addresses.insert("10.77.0.1/16".parse().expect("an address"));
    let flood: std::collections::BTreeSet<_> = PEERS.iter().map(|last| Ipv4Addr::new(192, 0, 2, *last)).collect();
    let port = |vni| {
        let vni = Vni::new(vni).expect("a VNI");
        let kind = LinkKind::Vxlan { vni, local: Ipv4Addr::new(192, 0, 2, 1), port: 4789, flood: flood.clone() };
        LinkSpec { controller: Some(name("lbbr-ursa")), ..plain(kind, mtu(1450)) }
    };
    let mut links: std::collections::BTreeMap<_, _> =
        (1..LINKS).map(|n| (name(&format!("lbvx{n}")), port(n))).collect();
    links.insert(name("lbbr-ursa"), bridge);
    Network { owner: Owner("ursa".into()), links }
}

fn links_batch() -> String {
    let mut text = "link add lbbr-ursa mtu 1500 type bridge\nlink set lbbr-ursa alias landbridge:ursa\n".to_owned();
    text += "address add 10.77.0.1/16 dev lbbr-ursa\n";
    for n in 1..LINKS {
        let _ = writeln!(text, "link add lbvx{n} mtu 1450 type vxlan id {n} local 192.0.2.1 dstport 4789");
        let _ = writeln!(text, "link set lbvx{n} alias landbridge:ursa master lbbr-ursa up");
    }
    text + "link set lbbr-ursa up\n"
}

fn flood_batch() -> String {
    let entries = (1..LINKS).flat_map(|n| PEERS.map(|last| (n, last)));
    let line = |(n, last)| format!("fdb append 00:00:00:00:00:00 dev lbvx{n} dst 192.0.2.{last}\n");
    entries.map(line).collect()
}

fn by_batch(directory: &Path) -> io::Result<Duration> {
    Netns::create_switchyard()?.enter(|| {
        let start = Instant::now();
        for program in ["ip", "bridge"] {
            let output = Command::new(program).arg("-batch").arg(directory.join(program)).output()?;
            if !output.status.success() {
                return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
            }
        }
        Ok(start.elapsed())
    })
}

/// The times of making it and of finding it as it should be.
fn by_landbridge(directory: &Path, round: u32) -> io::Result<(Duration, Duration)> {
    Netns::create_switchyard()?.enter(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut journal =
                NetworkJournal::open(directory.join(format!("{round}.journal"))).map_err(io::Error::other)?;
            let mut kernel = Kernel::open().map_err(io::Error::other)?;
            let mut times = [Duration::ZERO; 2];
            for time in &mut times {
                let start = Instant::now();
                reconcile(&wish(), &mut kernel, &mut journal).await.map_err(io::Error::other)?;
                *time = start.elapsed();
            }
            Ok(times.into())
        })
    })
}

/// On a front-end with both hosts enrolled: the whole command, and a start of the program that does nothing.
fn unchanged_up() -> Outcome<(Option<Sample>, Option<Sample>)> {
    let ursa = Ursa::up("bench-fabric")?;
    let run = |command| timed(&ursa.frontend, 11, command);
    Ok((run("landbridge up")?, run("landbridge --version")?))
}
