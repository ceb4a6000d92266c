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
    let e1 = ursa.light_instance("e1", "203.0.113.11/24")?;
    let bare = Trace::of(&e1)?;
    let mut used = BTreeSet::new();
    let mut swept = (0, 0);
    for at in (lab..).step_by(LABS) {
        println!("lab {lab}: moment {at}");
        let join_died = join(&ursa, &e1, at)?;
        let address = is_ready_once(&ursa)?;
        assert!(used.insert(address.clone()), "{address} was not in quarantine");
        let leave_died = leave(&ursa, at)?;
        is_gone(&ursa, &e1, &bare)?;
        swept = (swept.0 + usize::from(join_died), swept.1 + usize::from(leave_died));
        if !join_died && !leave_died {
            break;
        }
    }
    println!("lab {lab}: {} moments of joins, {} of leaving", swept.0, swept.1);
    assert!(swept.0 > 5 && swept.1 > 5, "too few for a daemon: {swept:?}");
    Ok(())
}

fn join(ursa: &Ursa, e1: &Machine, at: usize) -> LabResult<bool> {
    let mut doomed = ursa.doom_daemon(at)?;
    let token = doomed.through(ursa, || ursa.token("e1", Way::Tunnel, "ec2"))?;
    doomed.through(ursa, || ursa.join_with(e1, Way::Tunnel, &token))?;
    doomed.through(ursa, || ursa.landbridge("audit").expect_ok())?;
    doomed.died(ursa)
}

fn leave(ursa: &Ursa, at: usize) -> LabResult<bool> {
    let mut doomed = ursa.doom_daemon(at)?;
    doomed.through(ursa, || ursa.landbridge("worker destroy e1 --wait").expect_ok())?;
    doomed.through(ursa, || ursa.landbridge("audit").expect_ok())?;
    doomed.died(ursa)
}

/// One worker, ready, with one certificate; the address that it has on both sides.
fn is_ready_once(ursa: &Ursa) -> LabResult<String> {
    ursa.landbridge("audit").expect_ok()?;
    let workers = ursa.ask("worker list")?;
    assert_eq!(workers.as_array().map(Vec::len), Some(1), "{workers:#}");
    let (state, address) = (&workers[0]["state"], workers[0]["address"].as_str().unwrap_or_default());
    assert_eq!(state, "ready", "{workers:#}");
    let certificates = ursa.ask("pki show")?;
    let live = certificates["certificates"].as_array().into_iter().flatten();
    let live = live.filter(|c| c["name"] == "e1" && c["state"] == "valid");
    assert_eq!(live.count(), 1, "{certificates:#}");
    ursa.frontend.run(&format!("ping -c 1 -W 5 {address}")).expect_ok()?;
    ursa.frontend.run(&format!("grep -w 'ifconfig-push {address}' /var/lib/landbridge/tunnel/ccd/e1")).expect_ok()?;
    Ok(address.to_owned())
}

/// Nothing of the worker is left on either side but its record.
fn is_gone(ursa: &Ursa, e1: &Machine, bare: &Trace) -> LabResult<()> {
    ursa.landbridge("audit").expect_ok()?;
    ursa.landbridge("plan").expect_ok()?;
    assert_eq!(ursa.ask("worker show e1")?["state"], "gone");
    ursa.frontend
        .run("! ls /var/lib/landbridge/tunnel/ccd /var/lib/landbridge/tunnel/clients | grep e1")
        .expect_ok()?;
    ursa.frontend.run("! grep -w e1 /etc/hosts").expect_ok()?;
    ursa.frontend.run("! ypcat -h 10.77.0.1 -d ursa.vlan hosts | grep -w e1").expect_ok()?;
    ursa.frontend.run("! SGE_CELL=landbridge-ursa qconf -sel | grep -w e1").expect_ok()?;
    e1.wait_until("! pgrep landbridge-node", PATIENCE)?;
    let left = Trace::of(e1)?.since(bare);
    assert!(left.is_empty(), "left on the worker:\n{}", left.join("\n"));
    Ok(())
}
