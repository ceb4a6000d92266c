//! The front-end's daemon, killed at every moment of a worker's join and of its leaving, and of a host's coming and going.

use std::collections::BTreeSet;
use std::time::Duration;

use netns_tests::ursa::{Trace, Ursa, Way};
use netns_tests::{LabResult, Machine, Uml};
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
        let worker = Visitor { name: format!("worker-{at:03}"), machine: &machine, way: Way::Tunnel, on: "ec2" };
        let join_died = worker.joins(&ursa, at)?;
        let address = worker.is_ready_once(&ursa)?;
        assert!(used.insert(address.clone()), "{address} was not in quarantine");
        let leave_died = worker.leaves(&ursa, at)?;
        worker.is_gone(&ursa)?;
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

/// The same for what stands behind a host's bridge, homes over NFS included, with the host itself coming and going.
#[rstest]
fn a_host_and_the_worker_behind_it_survive_the_daemons_death_at_any_moment(
    #[values(0, 1)] lab: usize,
) -> LabResult<()> {
    let ursa = Ursa::draw(&format!("crash-host-{lab}"))?;
    ursa.landbridge("up").expect_ok()?;
    let host = &ursa.hosts[0];
    let bare = Trace::of(host)?;
    let (mut guest, mut visited) = (None, None);
    let mut swept = (0, 0);
    for at in (lab..).step_by(LABS) {
        println!("lab {lab}: moment {at}");
        let add_died = host_comes(&ursa, host, at)?;
        let guest = behind(&ursa, host, &mut guest)?;
        let worker = Visitor { name: format!("worker-{at:03}"), machine: guest, way: Way::Bridge, on: "ursa01" };
        worker.joins(&ursa, at)?;
        worker.is_ready_once(&ursa)?;
        worker.leaves(&ursa, at)?;
        worker.is_gone(&ursa)?;
        // The first visit makes the guest's kernel load what it needs, and mount(8) write a file of its own.
        match &visited {
            Some(visited) => has_left(guest, visited)?,
            None => visited = Some(after_leaving(guest)?),
        }
        let remove_died = host_goes(&ursa, host, at)?;
        let tap = guest.tap()?;
        let left: Vec<_> = Trace::of(host)?.since(&bare).into_iter().filter(|l| !l.contains(tap)).collect();
        assert!(left.is_empty(), "left on the host:\n{}", left.join("\n"));
        swept = (swept.0 + usize::from(add_died), swept.1 + usize::from(remove_died));
        // A worker's later moments are those of the sweep above.
        if !add_died && !remove_died {
            break;
        }
    }
    println!("lab {lab}: {} moments of a host's coming, {} of its going", swept.0, swept.1);
    assert!(swept.0 > 1 && swept.1 > 1, "too few for a daemon, of which each lab has its share: {swept:?}");
    Ok(())
}

fn host_comes(ursa: &Ursa, host: &Machine, at: usize) -> LabResult<bool> {
    let mut doomed = ursa.doom_daemon(at)?;
    doomed.through(ursa, || ursa.enrol(host))?;
    doomed.through(ursa, || ursa.await_host(host.name(), "on", PATIENCE))?;
    doomed.through(ursa, || ursa.landbridge("audit").expect_ok())?;
    let died = doomed.died(ursa)?;
    ursa.await_host(host.name(), "on", PATIENCE)?;
    Ok(died)
}

fn host_goes(ursa: &Ursa, host: &Machine, at: usize) -> LabResult<bool> {
    let mut doomed = ursa.doom_daemon(at)?;
    doomed.through(ursa, || ursa.landbridge(&format!("host remove {}", host.name())).expect_ok())?;
    doomed.through(ursa, || ursa.await_host(host.name(), "new", PATIENCE))?;
    doomed.through(ursa, || ursa.landbridge("audit").expect_ok())?;
    let died = doomed.died(ursa)?;
    ursa.await_host(host.name(), "new", PATIENCE)?;
    host.wait_until("! pgrep landbridge-node", PATIENCE)?;
    Ok(died)
}

/// The machine behind the host: booted once, and plugged in again when the bridge is another.
fn behind<'a>(ursa: &Ursa, host: &Machine, guest: &'a mut Option<Uml>) -> LabResult<&'a Uml> {
    match guest {
        Some(guest) => {
            host.wait_until("ip link show lbbr-ursa", PATIENCE)?;
            guest.plug("lbbr-ursa")?;
            Ok(guest)
        }
        None => Ok(guest.insert(ursa.guest("guest", host)?)),
    }
}

/// A machine that is a worker for one round.
struct Visitor<'a> {
    name: String,
    machine: &'a Machine,
    way: Way,
    on: &'a str,
}

impl Visitor<'_> {
    fn joins(&self, ursa: &Ursa, at: usize) -> LabResult<bool> {
        let mut doomed = ursa.doom_daemon(at)?;
        let token = doomed.through(ursa, || ursa.token(&self.name, self.way, self.on))?;
        doomed.through(ursa, || ursa.join_with(self.machine, self.way, &token))?;
        doomed.through(ursa, || ursa.landbridge("audit").expect_ok())?;
        doomed.died(ursa)
    }

    fn leaves(&self, ursa: &Ursa, at: usize) -> LabResult<bool> {
        let mut doomed = ursa.doom_daemon(at)?;
        doomed.through(ursa, || ursa.landbridge(&format!("worker destroy {} --wait", self.name)).expect_ok())?;
        doomed.through(ursa, || ursa.landbridge("audit").expect_ok())?;
        let died = doomed.died(ursa)?;
        if !died {
            // One that has survived is as it should be but for the moment that it was told.
            ursa.landbridge("up").expect_ok()?;
        }
        Ok(died)
    }

    /// One worker, ready, with one certificate; the address that it has on both sides.
    fn is_ready_once(&self, ursa: &Ursa) -> LabResult<String> {
        let name = self.name.as_str();
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
        if self.way == Way::Tunnel {
            let admitted = format!("grep -w 'ifconfig-push {address}' /var/lib/landbridge/tunnel/ccd/{name}");
            ursa.frontend.run(&admitted).expect_ok()?;
        }
        Ok(address.to_owned())
    }

    /// Nothing of the worker is left on the front-end but its record.
    fn is_gone(&self, ursa: &Ursa) -> LabResult<()> {
        let name = self.name.as_str();
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
}

/// Its machine is as it was before it joined.
fn has_left(machine: &Machine, bare: &Trace) -> LabResult<()> {
    let left = after_leaving(machine)?.since(bare);
    assert!(left.is_empty(), "left on the worker:\n{}", left.join("\n"));
    Ok(())
}

fn after_leaving(machine: &Machine) -> LabResult<Trace> {
    machine.wait_until("! pgrep landbridge-node", PATIENCE)?;
    Trace::of(machine)
}
