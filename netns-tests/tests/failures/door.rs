//! Joins that end at the front-end's door, or before it: the token, whom to trust, and the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use netns_tests::ursa::{Ursa, Way};
use netns_tests::{LabResult, Machine};

use crate::seen::{assert_reads, both, now, on_front_end, on_worker, run};

const TUNNEL: &str = "landbridge-node join --via tunnel --token-stdin";
const BRIDGE: &str = "landbridge-node join --via bridge --token-stdin";
const STORE: &str = "/var/lib/landbridge/landbridge.db";

#[test]
fn a_join_that_is_not_let_in_says_why_on_both_sides() -> LabResult<()> {
    let ursa = Ursa::draw("door")?;
    ursa.landbridge("up").expect_ok()?;
    let n1 =
        ursa.lab.machine("n1").nic("eth0", &ursa.cloud, "203.0.113.21/24").route("198.51.100.0/24", "eth0").start()?;
    let token = ursa.token("w1", Way::Tunnel, "ec2")?;
    no_token(&n1, &token);
    other_front_ends(&ursa, &n1, &token)?;
    expired(&ursa, &n1, &token)?;
    the_other_way(&ursa, &n1)?;
    used(&ursa, &n1)
}

#[test]
fn a_wrong_clock_is_told_and_a_right_one_joins_with_the_same_token() -> LabResult<()> {
    let ursa = Ursa::draw("clock")?;
    ursa.landbridge("up").expect_ok()?;
    let e1 = ursa.instance("e1", "203.0.113.11/24")?;
    let token = ursa.token("e1", Way::Tunnel, "ec2")?;
    for (name, off) in [("slow", -2 * 3600), ("fast_by_days", 2 * 86_400), ("fast_by_years", 20 * 365 * 86_400)] {
        set_clock(&e1, off)?;
        assert_reads(&format!("clock_{name}"), &both(&ursa, &e1, "e1", TUNNEL, &token)?);
    }
    set_clock(&e1, 0)?;
    assert_reads("clock_right_again", &both(&ursa, &e1, "e1", TUNNEL, &token)?);
    Ok(())
}

/// Nothing of this reaches the front-end.
fn no_token(n1: &Machine, token: &str) {
    let half = &token[..token.len() / 2];
    let said = |command: &str, token: &str| on_worker(n1, command, &run(n1, command, token).expect("it ends"));
    let all = [said("landbridge-node join", ""), said(TUNNEL, ""), said(TUNNEL, half), said(TUNNEL, "hello")];
    let bridge = said(BRIDGE, token);
    assert_reads("token_none", &format!("{}\n{bridge}", all.join("\n")));
}

/// One part of the token is another: the secret, the authority, the port.
fn other_front_ends(ursa: &Ursa, n1: &Machine, token: &str) -> LabResult<()> {
    let parts: Vec<&str> = token.split(',').collect();
    let other = "A".repeat(43);
    let with = |endpoint: &str, pin: &str, secret: &str| format!("lb1,{endpoint},{pin},{secret}");
    let unknown = with(parts[1], parts[2], &other);
    assert_reads("token_unknown", &both(ursa, n1, "w1", TUNNEL, &unknown)?);
    let alien = with(parts[1], &other, parts[3]);
    assert_reads("other_authority", &both(ursa, n1, "w1", TUNNEL, &alien)?);
    let nobody = with("198.51.100.1:7444", parts[2], parts[3]);
    assert_reads("nothing_listens", &both(ursa, n1, "w1", TUNNEL, &nobody)?);
    Ok(())
}

/// Its time is over; a new one for the same worker is taken, and the worker keeps its address.
fn expired(ursa: &Ursa, n1: &Machine, token: &str) -> LabResult<()> {
    let past = "UPDATE token SET expires = (unixepoch() - 300) * 1000 WHERE name = 'w1'";
    ursa.frontend.run(&format!("sqlite3 {STORE} \"{past}\"")).expect_ok()?;
    assert_reads("token_expired", &both(ursa, n1, "w1", TUNNEL, token)?);
    Ok(())
}

fn the_other_way(ursa: &Ursa, n1: &Machine) -> LabResult<()> {
    let bridge = ursa.token("w2", Way::Bridge, "ursa01")?;
    let tunnel = ursa.token("w3", Way::Tunnel, "ec2")?;
    let host = ursa.ask("host add ursa01")?["token"].as_str().unwrap_or_default().to_owned();
    let since = now(ursa)?;
    let mut said = Vec::new();
    for (machine, command, token) in [
        (n1, TUNNEL, &bridge),
        (n1, BRIDGE, &tunnel),
        (&ursa.hosts[0], TUNNEL, &host),
        (n1, "landbridge-node host join --token-stdin", &tunnel),
    ] {
        said.push(on_worker(machine, command, &run(machine, command, token)?));
    }
    assert_reads("token_for_another", &format!("{}\n{}", said.join("\n"), on_front_end(ursa, "w3", &since)?));
    Ok(())
}

/// A machine without an NFS client uses the token, gets as far as it can, and another machine comes with the same token.
fn used(ursa: &Ursa, n1: &Machine) -> LabResult<()> {
    let token = ursa.token("w1", Way::Tunnel, "ec2")?;
    assert_reads("home_is_mounted", &both(ursa, n1, "w1", TUNNEL, &token)?);
    n1.run("umount /home").expect_ok()?;
    assert_reads("kernel_without_nfs", &both(ursa, n1, "w1", TUNNEL, &token)?);
    let n2 =
        ursa.lab.machine("n2").nic("eth0", &ursa.cloud, "203.0.113.22/24").route("198.51.100.0/24", "eth0").start()?;
    assert_reads("token_used", &both(ursa, &n2, "w1", TUNNEL, &token)?);
    Ok(())
}

fn set_clock(machine: &Machine, off_secs: i64) -> LabResult<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    let then = i64::try_from(now).expect("a clock before the end of time") + off_secs;
    machine.run(&format!("date -s @{then}")).expect_ok().map(drop)
}
