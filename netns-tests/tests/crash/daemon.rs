//! The front-end's daemon, killed at every moment of a worker's join and of its leaving.

use std::collections::BTreeSet;
use std::time::Duration;

use netns_tests::ursa::{Trace, Ursa, Way};
use netns_tests::{LabResult, Machine};
use rstest::rstest;

/// How many labs share a sweep.
const LABS: usize = 2;
/// An agent that has left ends when it likes.
const PATIENCE: Duration = Duration::from_mins(2);

#[rstest]
fn a_join_and_a_leaving_survive_the_daemons_death_at_any_moment(#[values(0, 1)] lab: usize) -> LabResult<()> {
    let ursa = Ursa::light(&format!("crash-daemon-{lab}"))?;
    let machine = ursa.light_instance("instance", "203.0.113.11/24")?;
    let bare = Trace::of(&machine)?;
    let mut used = BTreeSet::new();
    let mut swept = (0, 0);
    for at in (lab..).step_by(LABS) {
        println!("lab {lab}: moment {at}");
        // Grid Engine may take minutes to believe that a name has another address.
        let name = format!("worker-{at:03}");
        let join_died = join(&ursa, &machine, &name, at)?;
        let address = is_ready_once(&ursa, &name)?;
        assert!(used.insert(address.clone()), "{address} was not in quarantine");
        let leave_died = leave(&ursa, &name, at)?;
        is_gone(&ursa, &name)?;
        has_left(&machine, &bare)?;
        swept = (swept.0 + usize::from(join_died), swept.1 + usize::from(leave_died));
        if !join_died && !leave_died {
            break;
        }
    }
    println!("lab {lab}: {} moments of joins, {} of leaving", swept.0, swept.1);
    assert!(swept.0 > 5 && swept.1 > 5, "too few for a daemon: {swept:?}");
    Ok(())
}

fn join(ursa: &Ursa, machine: &Machine, name: &str, at: usize) -> LabResult<bool> {
    let mut doomed = ursa.doom_daemon(at)?;
    let token = doomed.through(ursa, || ursa.token(name, Way::Tunnel, "ec2"))?;
    doomed.through(ursa, || ursa.join_with(machine, Way::Tunnel, &token))?;
    doomed.through(ursa, || ursa.landbridge("audit").expect_ok())?;
    doomed.died(ursa)
}

fn leave(ursa: &Ursa, name: &str, at: usize) -> LabResult<bool> {
    let mut doomed = ursa.doom_daemon(at)?;
    doomed.through(ursa, || ursa.landbridge(&format!("worker destroy {name} --wait")).expect_ok())?;
    doomed.through(ursa, || ursa.landbridge("audit").expect_ok())?;
    let died = doomed.died(ursa)?;
    if !died {
        // One that has survived is as it should be but for the moment that it was told.
        ursa.landbridge("up").expect_ok()?;
    }
    Ok(died)
}

/// One worker, ready, with one certificate; the address that it has on both sides.
fn is_ready_once(ursa: &Ursa, name: &str) -> LabResult<String> {
    ursa.landbridge("audit").expect_ok()?;
    let workers = ursa.ask("worker list")?;
    assert_eq!(workers.as_array().map(Vec::len), Some(1), "{workers:#}");
    let (state, address) = (&workers[0]["state"], workers[0]["address"].as_str().unwrap_or_default());
    assert_eq!(state, "ready", "{workers:#}");
    let certificates = ursa.ask("pki show")?;
    let live = certificates["certificates"].as_array().into_iter().flatten();
    let live = live.filter(|c| c["name"] == name && c["state"] == "valid");
    assert_eq!(live.count(), 1, "{certificates:#}");
    ursa.frontend.run(&format!("ping -c 1 -W 5 {address}")).expect_ok()?;
    let admitted = format!("grep -w 'ifconfig-push {address}' /var/lib/landbridge/tunnel/ccd/{name}");
    ursa.frontend.run(&admitted).expect_ok()?;
    Ok(address.to_owned())
}

/// Nothing of the worker is left on the front-end but its record.
fn is_gone(ursa: &Ursa, name: &str) -> LabResult<()> {
    ursa.landbridge("audit").expect_ok()?;
    ursa.landbridge("plan").expect_ok()?;
    assert_eq!(ursa.ask(&format!("worker show {name}"))?["state"], "gone");
    for place in [
        "ls /var/lib/landbridge/tunnel/ccd /var/lib/landbridge/tunnel/clients",
        "cat /etc/hosts",
        "ypcat -h 10.77.0.1 -d ursa.vlan hosts",
        "SGE_CELL=landbridge-ursa qconf -sel",
    ] {
        let found = ursa.frontend.run(&format!("{place} 2>&1")).output()?.out();
        assert!(!found.contains(name), "{name} is left in `{place}`:\n{found}");
    }
    Ok(())
}

/// Its machine is as it was before it joined.
fn has_left(machine: &Machine, bare: &Trace) -> LabResult<()> {
    machine.wait_until("! pgrep landbridge-node", PATIENCE)?;
    let left = Trace::of(machine)?.since(bare);
    assert!(left.is_empty(), "left on the worker:\n{}", left.join("\n"));
    Ok(())
}
