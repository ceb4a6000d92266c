//! A step that fails: everything before it is undone, and everything that went wrong is told.

use std::error::Error;

use landbridge_fabric::{ApplyError, Fault, Faulty, Kind, Ledger, Link, Network, Step, reconcile};

use super::Machine;
use crate::common::*;

fn fail(machine: &mut Machine, network: &Network, fault: Fault) -> ApplyError {
    let mut faulty = Faulty::new(&mut machine.fake, fault);
    wait(reconcile(network, &mut faulty, &mut machine.journal)).unwrap_err()
}

#[test]
fn a_refusal_at_any_step_of_up_or_down_leaves_what_was_there() {
    for wanted in [front_end(), Network::empty(owner())] {
        let mut steps = 0;
        for at in 0.. {
            let mut machine = Machine::with(links([("eth1", Link { up: false, mtu: 9000, ..veth() })]));
            if wanted.links.is_empty() {
                machine.up(&front_end());
                let vnet0 = Link { controller: Some(name("lbbr-ursa")), ..foreign(Kind::Tap) };
                machine.fake.links_mut().insert(name("vnet0"), vnet0);
            }
            let (before, ledger) = (machine.observe(), Ledger::of(&machine.journal));
            let mut faulty = Faulty::new(&mut machine.fake, Fault::Refuse(at));
            let outcome = wait(reconcile(&wanted, &mut faulty, &mut machine.journal));
            if outcome.is_ok() {
                steps = at;
                break;
            }
            assert_eq!(machine.observe(), before, "step {at}");
            assert_eq!(Ledger::of(&machine.journal), ledger, "step {at}");
            assert_eq!(machine.journal.pending().count(), 0, "step {at}");
        }
        assert!(steps > 5, "only {steps} steps were tried");
    }
}

#[test]
fn shrinking_can_be_undone_under_a_sub_interface() {
    let of = |bytes| {
        network([("eth1", nic().mtu(bytes)), ("lb0", vlan(5, "eth1").mtu(bytes)), ("lb1", vlan(5, "lb0").mtu(bytes))])
    };
    for at in 0..3 {
        let mut machine = Machine::with(links([("eth1", veth())]));
        machine.up(&of(9000));
        let before = machine.observe();
        fail(&mut machine, &of(1500), Fault::Refuse(at));
        assert_eq!(machine.observe(), before);
        machine.up(&of(1500));
        let before = machine.observe();
        fail(&mut machine, &of(9000), Fault::Refuse(at));
        assert_eq!(machine.observe(), before);
    }
}

#[test]
fn the_error_names_the_step_and_its_cause() {
    let mut machine = Machine::with(links([("eth1", veth())]));
    let error = fail(&mut machine, &front_end(), Fault::Refuse(2));
    let causes: Vec<_> =
        std::iter::successors(error.source(), |&error| error.source()).map(ToString::to_string).collect();
    insta::assert_snapshot!(format!("{error}\n{}", causes.join("\n")));
}

#[test]
fn every_step_back_that_fails_is_told() {
    let mut machine = Machine::with(links([("eth1", veth())]));
    let error = fail(&mut machine, &front_end(), Fault::RefuseFrom(3));
    insta::assert_snapshot!(error);
    // What couldn't be undone is known as ours, and goes the next time.
    machine.down();
    assert_eq!(machine.observe().links, links([("eth1", veth())]));
}

#[test]
fn somebody_elses_hand_in_it_is_reported_as_drift() {
    /// A machine on which somebody takes every tap down at once.
    struct Contested(landbridge_fabric::Fake);
    impl landbridge_fabric::Backend for Contested {
        async fn observe(&mut self) -> Result<landbridge_fabric::Observed, landbridge_fabric::BackendError> {
            self.0.observe().await
        }
        async fn perform(&mut self, step: &Step) -> Result<(), landbridge_fabric::BackendError> {
            self.0.perform(step).await?;
            for link in self.0.links_mut().values_mut().filter(|link| link.kind == Kind::Tap) {
                link.up = false;
            }
            Ok(())
        }
        async fn supports(
            &mut self,
            feature: landbridge_fabric::Feature,
        ) -> Result<bool, landbridge_fabric::BackendError> {
            self.0.supports(feature).await
        }
    }
    let mut machine = Machine::with([]);
    let mut contested = Contested(machine.fake.clone());
    let error = wait(reconcile(&network([("lb0", tap())]), &mut contested, &mut machine.journal)).unwrap_err();
    assert_eq!(error.to_string(), "after all steps there is still to do: ~ lb0 down => up");
}
