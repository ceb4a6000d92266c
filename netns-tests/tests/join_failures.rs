//! Each way in which a join can fail is named on the worker in plain words, with an exit code of its own, and the machine
//! joins once the cause is gone.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use netns_tests::ursa::{Ursa, Way};
use netns_tests::{LabResult, Machine, Uml};

/// Every stage's deadline together, and some more.
const PATIENCE: Duration = Duration::from_mins(3);

/// The part of a token that a test spoils.
#[derive(Clone, Copy)]
enum Part {
    Endpoint = 1,
    Pin = 2,
    Secret = 3,
}

/// The same token with another value in one place.
fn with(token: &str, part: Part, value: &str) -> String {
    let mut parts: Vec<&str> = token.trim().split(',').collect();
    parts[part as usize] = value;
    parts.join(",")
}

/// Joins in vain, and gives the exit code and what was said of the stage that failed.
fn failure(machine: &Machine, token: &str) -> LabResult<String> {
    let join = machine.run("landbridge-node join --token-stdin").stdin(token).deadline(PATIENCE);
    let finished = join.expect_failure()?;
    let said = finished.out() + &finished.err();
    let from = said.find("failed ").map_or(0, |at| said[..at].rfind('\n').map_or(0, |at| at + 1));
    Ok(format!("exit {}\n{}", finished.status, without_times(&said[from..])))
}

fn without_times(said: &str) -> String {
    let line = |line: &str| match line.find(" failed ") {
        Some(at) => format!("{} failed", line[..at].trim_end()),
        None => line.to_owned(),
    };
    said.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn join(machine: &Machine, token: &str) -> LabResult<()> {
    machine.run("landbridge-node join --token-stdin").stdin(token).deadline(PATIENCE).expect_ok().map(drop)
}

fn spoiled() -> String {
    URL_SAFE_NO_PAD.encode([7; 32])
}

#[test]
fn a_token_that_leads_nowhere_or_astray_is_told_apart() -> LabResult<()> {
    let ursa = Ursa::up("tokens")?;
    let e1 = ursa.instance("e1", "203.0.113.11/24")?;
    let token = ursa.token("e1", Way::Tunnel, "ec2")?;

    insta::assert_snapshot!(failure(&e1, "hello")?);
    insta::assert_snapshot!(failure(&e1, &with(&token, Part::Endpoint, "198.51.100.1:7444"))?);
    insta::assert_snapshot!(failure(&e1, &with(&token, Part::Pin, &spoiled()))?);
    insta::assert_snapshot!(failure(&e1, &with(&token, Part::Secret, &spoiled()))?);

    slow_clock(&e1)?;
    insta::assert_snapshot!(masked_clock(&failure(&e1, &token)?));
    right_clock(&e1)?;

    join(&e1, &token)?;
    let e2 = ursa.instance("e2", "203.0.113.12/24")?;
    insta::assert_snapshot!(masked(&failure(&e2, &token)?, "was used ", " ago"));
    Ok(())
}

#[test]
fn a_way_that_is_blocked_is_named() -> LabResult<()> {
    let ursa = Ursa::up("blocked")?;
    let e1 = ursa.instance("e1", "203.0.113.11/24")?;
    let token = ursa.token("e1", Way::Tunnel, "ec2")?;

    ursa.wan.block_udp(true);
    insta::assert_snapshot!(failure(&e1, &token)?);
    ursa.wan.block_udp(false);

    for port in [2049, 111, 6444] {
        block(&ursa.frontend, port)?;
        insta::assert_snapshot!(failure(&e1, &token)?);
        unblock(&ursa.frontend)?;
    }
    join(&e1, &token)
}

#[test]
fn a_port_with_a_small_mtu_is_named_with_what_it_carries() -> LabResult<()> {
    let ursa = Ursa::up("mtu")?;
    let w1 = ursa.guest("w1", &ursa.hosts[0])?;
    let token = ursa.token("w1", Way::Bridge, "ursa01")?;
    ursa.hosts[0].run(&format!("ip link set {} mtu 1400", w1.tap()?)).expect_ok()?;
    // Ports let a few bytes more through, in case there is a VLAN's tag.
    insta::assert_snapshot!(masked(&failure(&w1, &token)?, "got through has 140", " bytes"));
    Ok(())
}

/// A guest's clock is its own.
fn slow_clock(machine: &Uml) -> LabResult<()> {
    machine.run("date +%s > /run/now && date --set=2001-02-03").expect_ok().map(drop)
}

fn right_clock(machine: &Uml) -> LabResult<()> {
    machine.run("date --set=@$(cat /run/now)").expect_ok().map(drop)
}

/// The front-end's clock is the day's, and ours goes on from where it was set.
fn masked_clock(said: &str) -> String {
    let said = masked(said, "2001-02-03 00:00:0", " UTC");
    masked(&masked(&said, "begins only in ", ":"), "clock says ", "\n")
}

/// Hides what stands between two texts, where they are.
fn masked(said: &str, from: &str, to: &str) -> String {
    let Some(start) = said.find(from).map(|at| at + from.len()) else { return said.to_owned() };
    let Some(end) = said[start..].find(to).map(|at| at + start) else { return said.to_owned() };
    format!("{}…{}", &said[..start], &said[end..])
}

/// Swallows what arrives over the vLAN for a TCP or UDP port.
fn block(machine: &Machine, port: u16) -> LabResult<()> {
    let rules = format!(
        "table inet test {{\n chain in {{\n type filter hook input priority -10;\n iifname lbbr-ursa th dport {port} drop;\n }}\n}}\n"
    );
    machine.run("nft -f -").stdin(rules).expect_ok().map(drop)
}

fn unblock(machine: &Machine) -> LabResult<()> {
    machine.run("nft delete table inet test").expect_ok().map(drop)
}
