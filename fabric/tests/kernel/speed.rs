//! Two hundred links, with a journal on disk. The figures are printed (`--nocapture`), not asserted. They go with the
//! namespace, all at once: one by one the kernel waits for some 20 ms after each.

use std::fmt::Write as _;
use std::time::Instant;

use landbridge_fabric::{Backend, Kernel, Network, NetworkJournal, reconcile};

use crate::common::netns::{in_namespace, run};
use crate::common::*;
use crate::judge::judged;

const LINKS: usize = 200;

/// A bridge and its ports.
fn wide() -> Network {
    let mut wide = network([("lbbr-ursa", bridge().address("10.77.0.1/16"))]);
    let ports = (1..LINKS).map(|n| (name(&format!("lbvx{n}")), vxlan(u32::try_from(n).unwrap(), &[11, 12])));
    wide.links.extend(ports.map(|(name, spec)| (name, spec.mtu(1450).port_of("lbbr-ursa"))));
    wide
}

/// The same, as a person would write it for `ip -batch`.
fn batch() -> String {
    let mut text = "link add lbbr-ursa mtu 1500 type bridge\naddress add 10.77.0.1/16 dev lbbr-ursa\n".to_owned();
    for n in 1..LINKS {
        writeln!(text, "link add lbvx{n} mtu 1450 type vxlan id {n} local 192.0.2.1 dstport 4789").unwrap();
        writeln!(text, "link set lbvx{n} alias landbridge:ursa master lbbr-ursa up").unwrap();
    }
    text + "link set lbbr-ursa up\n"
}

#[test]
fn two_hundred_links_come_and_stay() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("batch");
    std::fs::write(&script, batch()).unwrap();
    in_namespace(move || async move {
        let start = Instant::now();
        run(&format!("ip -batch {}", script.display()));
        println!("ip -batch, without flood entries: {:?}", start.elapsed());
    });
    in_namespace(move || async move {
        let mut journal = NetworkJournal::open(directory.path().join("network.journal")).unwrap();
        let mut kernel = Kernel::open().unwrap();
        for (what, steps) in [("up", LINKS), ("again", 0)] {
            let start = Instant::now();
            let report = reconcile(&wide(), &mut kernel, &mut journal).await.unwrap();
            println!("{what}: {:?}", start.elapsed());
            assert_eq!(report.changed.len(), steps);
        }
        assert_eq!(judged(), kernel.observe().await.unwrap());
    });
}
