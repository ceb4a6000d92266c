//! Habits of the kernel that would surprise a cluster, and what we do about them.

use std::fs;

use landbridge_fabric::{Backend, Kernel, Link, Network, NetworkJournal, PlannedStep, Step, reconcile};

use crate::common::netns::{in_namespace, run, run_json};
use crate::common::*;
use crate::judge::judged;

/// A kernel and a journal, in the thread's namespace.
struct Machine {
    kernel: Kernel,
    journal: NetworkJournal,
}

impl Machine {
    fn new() -> Self {
        Self { kernel: Kernel::open().unwrap(), journal: NetworkJournal::in_memory() }
    }

    async fn up(&mut self, network: &Network) -> Vec<String> {
        reconcile(network, &mut self.kernel, &mut self.journal).await.unwrap().changed
    }
}

fn show(link: &str) -> serde_json::Value {
    run_json(&format!("ip -j -d link show {link}"))[0].clone()
}

#[test]
fn ip_and_bridge_see_what_we_see() {
    in_namespace(|| async {
        run("ip link add eth1 type veth peer name far1");
        let mut machine = Machine::new();
        assert_eq!(machine.up(&front_end()).await.len(), 6);
        let observed = machine.kernel.observe().await.unwrap();
        assert_eq!(judged(), observed);
        let tap = show("lbt0-ursa");
        assert_eq!(
            (&tap["ifalias"], &tap["linkinfo"]["info_data"]["persist"]),
            (&"landbridge:ursa".into(), &true.into())
        );
        machine.up(&Network::empty(owner())).await;
        assert_eq!(judged(), machine.kernel.observe().await.unwrap());
    });
}

#[test]
fn a_bridge_keeps_its_mtu_and_its_address_whatever_becomes_a_port() {
    in_namespace(|| async {
        let mut machine = Machine::new();
        // 1500 is what a bridge has by itself, and 9000 what it is changed to: both must be kept.
        for mtu in [1500, 9000] {
            machine.up(&network([("lbbr-ursa", bridge().mtu(mtu))])).await;
            let before = show("lbbr-ursa");
            for n in 0..4 {
                run(&format!("ip link add small{mtu}-{n} mtu 1000 type veth peer name far{mtu}-{n}"));
                run(&format!("ip link set small{mtu}-{n} master lbbr-ursa"));
            }
            let after = show("lbbr-ursa");
            assert_eq!(after["mtu"], mtu);
            assert_eq!(after["address"], before["address"]);
        }
    });
}

#[test]
fn removing_the_first_address_of_a_subnet_keeps_the_others_of_it() {
    in_namespace(|| async {
        run("ip link add eth1 type veth peer name far1");
        let knob = "/proc/sys/net/ipv4/conf/eth1/promote_secondaries";
        let mut machine = Machine::new();
        machine.up(&network([("eth1", nic().address("10.77.0.5/16"))])).await;
        run("ip address add 10.77.0.6/16 dev eth1");
        for promotes in ["0\n", "1\n"] {
            fs::write(knob, promotes).unwrap();
            machine.up(&network([("eth1", nic())])).await;
            assert_eq!(judged().links[&name("eth1")].addresses, [address("10.77.0.6/16")].into());
            assert_eq!(fs::read_to_string(knob).unwrap(), promotes);
            machine.up(&network([("eth1", nic().address("10.77.0.5/16"))])).await;
        }
    });
}

#[test]
fn forwarding_entries_and_ports_of_others_stay() {
    in_namespace(|| async {
        let mut machine = Machine::new();
        let wanted = |flood| network([("lbbr-ursa", bridge()), ("lbvx-ursa", vxlan(77, flood).port_of("lbbr-ursa"))]);
        machine.up(&wanted(&[11, 12])).await;
        run("bridge fdb append 02:00:00:00:00:01 dev lbvx-ursa dst 192.0.2.44");
        run("bridge fdb append 00:00:00:00:00:00 dev lbvx-ursa dst 192.0.2.45 port 9999");
        run("ip tuntap add vnet0 mode tap");
        run("ip link set vnet0 master lbbr-ursa");
        assert!(machine.up(&wanted(&[11, 12])).await.is_empty());
        machine.up(&wanted(&[12, 13])).await;
        let entries = run("bridge fdb show dev lbvx-ursa");
        let theirs = ["02:00:00:00:00:01 dst 192.0.2.44", "00:00:00:00:00:00 dst 192.0.2.45 port 9999"];
        assert!(theirs.iter().all(|entry| entries.contains(entry)), "{entries}");
        assert!(!entries.contains("192.0.2.11") && entries.contains("192.0.2.13"), "{entries}");
        assert_eq!(show("vnet0")["master"], "lbbr-ursa");
    });
}

#[test]
fn a_flood_list_longer_than_a_batch_arrives_whole() {
    in_namespace(|| async {
        let mut machine = Machine::new();
        let everybody: Vec<u8> = (2..250).collect();
        machine.up(&network([("lbvx-ursa", vxlan(77, &everybody))])).await;
        assert_eq!(judged().links[&name("lbvx-ursa")].flood.len(), everybody.len());
    });
}

#[test]
fn a_stranger_that_took_the_name_since_we_looked_is_not_touched() {
    in_namespace(|| async {
        let mut machine = Machine::new();
        let wanted = network([("lb0", bridge())]);
        let link = Link::desired(&owner(), &wanted.links[&name("lb0")]).unwrap();
        machine.up(&wanted).await;
        run("ip link delete lb0");
        run("ip link add lb0 type bridge");
        let delete = Step::Delete { name: name("lb0"), link };
        machine.kernel.perform(&delete).await.unwrap_err();
        // Nor when it has the very link, without its tag.
        run("ip link delete lb0");
        machine.up(&wanted).await;
        run("ip link set lb0 alias mine");
        machine.kernel.perform(&delete).await.unwrap_err();
        assert_eq!(show("lb0")["ifalias"], "mine");
    });
}

#[test]
fn a_link_that_a_crash_left_without_tag_becomes_ours() {
    in_namespace(|| async {
        let mut machine = Machine::new();
        let wanted = network([("lbvx-ursa", vxlan(77, &[11]))]);
        let link = Link::desired(&owner(), &wanted.links[&name("lbvx-ursa")]).unwrap();
        let create = Step::Create { name: name("lbvx-ursa"), link };
        machine.journal.begin([PlannedStep::from(create)]).unwrap();
        run("ip link add lbvx-ursa mtu 1500 type vxlan id 77 local 192.0.2.1 dstport 4789");
        assert_eq!(machine.up(&wanted).await, ["~ lbvx-ursa down => up", "+ lbvx-ursa flood 192.0.2.11"]);
        machine.up(&Network::empty(owner())).await;
        assert_eq!(judged().links.len(), 1, "only lo");
    });
}

#[test]
fn a_namespace_goes_with_its_test_also_after_a_panic() {
    let (tell, told) = std::sync::mpsc::channel();
    let panicked = std::panic::catch_unwind(|| {
        in_namespace(move || async move {
            Machine::new().up(&network([("lb0", tap()), ("lb1", bridge())])).await;
            tell.send(fs::read_link("/proc/thread-self/ns/net").unwrap()).unwrap();
            panic!("on purpose");
        });
    });
    assert!(panicked.is_err());
    let namespace = told.recv().unwrap();
    assert_ne!(fs::read_link("/proc/thread-self/ns/net").unwrap(), namespace);
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let mut namespaces = tasks.filter_map(|task| fs::read_link(task.unwrap().path().join("ns/net")).ok());
    assert!(namespaces.all(|other| other != namespace), "a thread still holds it");
}
