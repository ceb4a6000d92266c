//! A worker that comes back is the same worker: same name, same address, one identity.

use std::time::Duration;

use netns_tests::ursa::{Ursa, Way};
use netns_tests::{LabResult, Machine, Uml};

const PATIENCE: Duration = Duration::from_mins(3);

#[test]
fn workers_that_crash_or_join_twice_stay_who_they_are() -> LabResult<()> {
    let ursa = Ursa::up("rejoin")?;
    let e1 = ursa.instance("e1", "203.0.113.11/24")?;
    let w1 = ursa.guest("w1", &ursa.hosts[0])?;
    ursa.join(&e1, Way::Tunnel, "ec2")?;
    ursa.join(&w1, Way::Bridge, "ursa01")?;
    let before = [identity(&ursa, "e1")?, identity(&ursa, "w1")?];

    twice_is_once(&ursa, &e1)?;
    twice_is_once(&ursa, &w1)?;
    a_killed_tunnel_comes_back_by_itself(&e1)?;
    a_killed_agent_comes_back_with_the_next_join(&ursa, &e1)?;
    for machine in [&e1, &w1] {
        comes_back_after_a_crash(&ursa, machine)?;
    }

    assert_eq!([identity(&ursa, "e1")?, identity(&ursa, "w1")?], before);
    let left_over = ursa.ask("audit")?;
    assert_eq!(left_over["findings"], serde_json::json!([]), "{left_over:#}");
    Ok(())
}

/// Its address, and the serials of its valid certificates.
fn identity(ursa: &Ursa, name: &str) -> LabResult<(String, Vec<String>)> {
    let worker = ursa.ask(&format!("worker show {name}"))?;
    assert_eq!(worker["state"], "ready", "{worker:#}");
    let certificates = ursa.landbridge("pki show").expect_ok()?;
    let ours = certificates.lines().filter(|line| line.split_whitespace().next() == Some(name));
    let valid: Vec<String> = ours.filter(|line| line.contains("valid")).map(str::to_owned).collect();
    assert_eq!(valid.len(), 1, "{certificates}");
    Ok((worker["address"].to_string(), valid))
}

fn join(machine: &Machine) -> LabResult<String> {
    machine.run("landbridge-node join").deadline(PATIENCE).expect_ok()
}

/// Nothing is changed on the machine, nothing on the front-end, and the machine says so.
fn twice_is_once(ursa: &Ursa, machine: &Machine) -> LabResult<()> {
    let seen = |what: &str| ursa.landbridge(what).expect_ok();
    let running = |machine: &Machine| machine.run("pgrep -x openvpn; pgrep -x ypbind; pgrep -x sge_execd").expect_ok();
    let (events, programs) = (seen("events -n 1000")?, running(machine)?);
    let said = join(machine)?;
    assert!(said.ends_with("; nothing on this machine had to be changed\n"), "{said}");
    assert_eq!(seen("events -n 1000")?, events);
    assert_eq!(running(machine)?, programs);
    Ok(())
}

fn a_killed_tunnel_comes_back_by_itself(e1: &Machine) -> LabResult<()> {
    let killed = e1.run("pgrep -x openvpn").expect_ok()?;
    e1.run("pkill -KILL -x openvpn").expect_ok()?;
    let other = format!("now=$(pgrep -x openvpn) && [ \"$now\" != \"{}\" ] && ping -c 1 -W 1 10.77.0.1", killed.trim());
    e1.wait_until(&other, PATIENCE).map(drop)
}

fn a_killed_agent_comes_back_with_the_next_join(ursa: &Ursa, e1: &Machine) -> LabResult<()> {
    e1.run("pkill -KILL -f 'landbridge-nod[e] agent'; pkill -KILL -x openvpn; true").expect_ok()?;
    let said = join(e1)?;
    assert!(said.contains("e1 is ready after"), "{said}");
    e1.run("pgrep -f 'landbridge-nod[e] agent' && ping -c 1 -W 5 10.77.0.1").expect_ok()?;
    identity(ursa, "e1").map(drop)
}

/// A power cut; then the one command without a token.
fn comes_back_after_a_crash(ursa: &Ursa, machine: &Uml) -> LabResult<()> {
    machine.crash()?;
    machine.boot_again()?;
    let said = join(machine)?;
    assert!(said.contains(&format!("{} is ready after", machine.name())), "{said}");
    identity(ursa, machine.name()).map(drop)
}
