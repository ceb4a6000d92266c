//! SIGKILL at any step, with a journal in a file: the next process finishes, or tears down, and nothing is left.

use std::path::Path;

use landbridge_fabric::{
    Backend, Fault, Faulty, Link, Network, NetworkJournal, Observed, PlannedStep, Step, reconcile, recover,
};

use super::Machine;
use crate::common::*;

/// Dies at the fault; `false` when it was past the last step.
fn die(machine: &mut Machine, path: &Path, network: &Network, fault: Fault) -> bool {
    let mut journal = NetworkJournal::open(path).unwrap();
    let mut faulty = Faulty::new(&mut machine.fake, fault);
    let death = faulty.death();
    wait(async {
        tokio::select! {
            outcome = reconcile(network, &mut faulty, &mut journal) => { outcome.unwrap(); false }
            () = death => true,
        }
    })
}

/// What a new process makes of it.
fn next(machine: &mut Machine, path: &Path, network: &Network) -> Observed {
    let mut journal = NetworkJournal::open(path).unwrap();
    wait(reconcile(network, &mut machine.fake, &mut journal)).unwrap();
    assert_eq!(journal.pending().count(), 0);
    machine.observe()
}

#[test]
fn after_a_crash_at_any_step_up_is_finished_or_torn_down() {
    let others = links([("eth1", Link { up: false, mtu: 9000, ..veth() })]);
    let finished = {
        let mut machine = Machine::with(others.clone());
        machine.up(&front_end());
        machine.observe()
    };
    let (up, down) = (front_end(), Network::empty(owner()));
    for fault in [Fault::DieBefore, Fault::DieAfter] {
        for (first, then, end) in
            [(&up, &up, &finished.links), (&up, &down, &others), (&down, &down, &others), (&down, &up, &finished.links)]
        {
            let mut steps = 0;
            loop {
                let directory = tempfile::tempdir().unwrap();
                let path = directory.path().join("network.journal");
                let mut machine = Machine::with(others.clone());
                if *first == down {
                    next(&mut machine, &path, &up);
                }
                if !die(&mut machine, &path, first, fault(steps)) {
                    break;
                }
                assert_eq!(next(&mut machine, &path, then).links, *end, "{:?}", fault(steps));
                steps += 1;
            }
            assert!(steps >= 5, "only {steps} steps were tried");
        }
    }
}

#[test]
fn a_crash_on_the_way_back_is_recovered_from_too() {
    let others = links([("eth1", Link { up: false, ..veth() })]);
    let wanted = front_end();
    // The fifth step is refused; then death strikes on the way back.
    for at in 5..9 {
        let mut machine = Machine::with(others.clone());
        let mut refusing = Faulty::new(&mut machine.fake, Fault::Refuse(4));
        let mut faulty = Faulty::new(&mut refusing, Fault::DieAfter(at));
        let death = faulty.death();
        let died = wait(async {
            tokio::select! {
                _ = reconcile(&wanted, &mut faulty, &mut machine.journal) => false,
                () = death => true,
            }
        });
        assert!(died, "step {at} was not reached");
        machine.down();
        assert_eq!(machine.observe().links, others);
    }
}

#[test]
fn a_link_that_the_crash_left_without_tag_is_known_by_the_journal() {
    let mut machine = Machine::with([]);
    let wanted = network([("lb0", vxlan(77, &[11]))]);
    let link = Link::desired(&owner(), &wanted.links[&name("lb0")]).unwrap();
    machine.journal.begin([PlannedStep::from(Step::Create { name: name("lb0"), link: link.clone() })]).unwrap();
    let bare = Link { alias: None, flood: [].into(), up: false, ..link };
    machine.fake.links_mut().insert(name("lb0"), bare);
    assert_eq!(machine.up(&wanted), ["~ lb0 down => up", "+ lb0 flood 192.0.2.11"]);
    machine.down();
    assert!(machine.observe().links.is_empty());
}

#[test]
fn a_strangers_link_is_not_claimed_by_the_journal() {
    let create = |text: &str| {
        let link = Link::desired(&owner(), &tap()).unwrap();
        PlannedStep::from(Step::Create { name: name(text), link })
    };
    // Of another kind than was under way; and of the same, but under a name whose turn had not come.
    for (begun, found) in [(vec!["lb0"], veth()), (vec!["lb9", "lb0"], foreign(landbridge_fabric::Kind::Tap))] {
        let mut machine = Machine::with(links([("lb0", found.clone())]));
        machine.journal.begin(begun.into_iter().map(create)).unwrap();
        wait(recover(&mut machine.fake, &mut machine.journal)).unwrap();
        assert_eq!(machine.link("lb0"), found);
        assert_eq!(machine.journal.pending().count(), 0);
    }
}

#[test]
fn without_a_crash_recovery_does_not_even_look() {
    struct Blind;
    impl Backend for Blind {
        async fn observe(&mut self) -> Result<Observed, landbridge_fabric::BackendError> {
            panic!("looked")
        }
        async fn perform(&mut self, _: &Step) -> Result<(), landbridge_fabric::BackendError> {
            panic!("touched")
        }
        async fn supports(&mut self, _: landbridge_fabric::Feature) -> Result<bool, landbridge_fabric::BackendError> {
            panic!("asked")
        }
    }
    let mut journal = NetworkJournal::in_memory();
    assert!(wait(recover(&mut Blind, &mut journal)).unwrap().is_empty());
}
