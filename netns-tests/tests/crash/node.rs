//! `landbridge-node join` and `leave` on a worker, killed at every moment.

use netns_tests::ursa::{Trace, Ursa, Way};
use netns_tests::{LabResult, Machine};
use rstest::rstest;

use crate::{KILL_AT, KILLED};

/// How many labs share a sweep.
const LABS: usize = 2;

#[rstest]
fn a_worker_killed_at_any_moment_joins_again_or_leaves_as_it_was(#[values(0, 1)] lab: usize) -> LabResult<()> {
    let ursa = Ursa::light(&format!("crash-node-{lab}"))?;
    let machine = ursa.light_instance("instance", "203.0.113.11/24")?;
    let bare = Trace::of(&machine)?;
    let mut swept = (0, 0);
    for at in (lab..).step_by(LABS) {
        println!("lab {lab}: moment {at}");
        let token = ursa.token(&format!("e{at}"), Way::Tunnel, "ec2")?;
        let join_died = dies_at(&machine, "landbridge-node join --token-stdin", &token, at)?;
        ursa.join_with(&machine, Way::Tunnel, &token)?;
        is_the_worker_of_its_token(&ursa, &machine, at)?;
        let leave_died = dies_at(&machine, "landbridge-node leave", "", at)?;
        machine.run("landbridge-node leave").expect_ok()?;
        let left = Trace::of(&machine)?.since(&bare);
        assert!(left.is_empty(), "killed at {at}, this is left:\n{}", left.join("\n"));
        swept = (swept.0 + usize::from(join_died), swept.1 + usize::from(leave_died));
        if !join_died && !leave_died {
            break;
        }
    }
    println!("lab {lab}: {} moments of joins, {} of leaving", swept.0, swept.1);
    assert!(swept.0 > 10 && swept.1 > 10, "too few for a worker: {swept:?}");
    Ok(())
}

/// The name and the address that the token stands for, and one certificate.
fn is_the_worker_of_its_token(ursa: &Ursa, machine: &Machine, at: usize) -> LabResult<()> {
    let name = format!("e{at}");
    let worker = ursa.ask(&format!("worker show {name}"))?;
    assert_eq!(worker["state"], "ready", "{worker:#}");
    let address = worker["address"].as_str().unwrap_or_default();
    machine.run(&format!("ip -br address show to {address} | grep UP; [ $(hostname) = {name} ]")).expect_ok()?;
    let certificates = ursa.ask("pki show")?;
    let issued = certificates["certificates"].as_array().into_iter().flatten().filter(|c| c["name"] == name.as_str());
    assert_eq!(issued.count(), 1, "{certificates:#}");
    Ok(())
}

/// Runs a command that kills itself at a moment; `false` when it ended well before that moment came.
fn dies_at(machine: &Machine, command: &str, input: &str, at: usize) -> LabResult<bool> {
    let end = machine.run(command).env(KILL_AT, &at.to_string()).stdin(input).output()?;
    assert!([0, KILLED].contains(&end.status), "{command} at {at}: {}{}", end.out(), end.err());
    Ok(end.status == KILLED)
}
