//! The join API's door on the public address: whoever is a stranger, slow or too loud disturbs nobody.

use std::time::Duration;

use netns_tests::ursa::{Ursa, Way};
use netns_tests::{LabResult, Machine};

const PATIENCE: Duration = Duration::from_mins(3);
const DOOR: &str = "https://198.51.100.1:7443";
/// More than the daemon ever needs for a handful of workers and a crowd at the door.
const MOST_MEMORY_KIB: u64 = 128 * 1024;

/// 200 that connect and dawdle: half of them say nothing, half begin a TLS handshake and never go on.
const SLOW: &str = "
import socket, sys, time
crowd = []
for n in range(200):
    one = socket.create_connection(('198.51.100.1', 7443))
    if n % 2:
        one.sendall(b'\\x16\\x03\\x01\\x02')
    crowd.append(one)
print('inside', flush=True)
sys.stdin.read()
";

#[test]
fn a_crowd_at_the_door_is_refused_and_a_worker_joins_beside_it() -> LabResult<()> {
    let ursa = Ursa::draw("requests")?;
    ursa.landbridge("up").expect_ok()?;
    let rogue = ursa
        .lab
        .machine("rogue")
        .nic("eth0", &ursa.cloud, "203.0.113.66/24")
        .route("198.51.100.0/24", "eth0")
        .start()?;
    let e1 = ursa.instance("e1", "203.0.113.11/24")?;
    let token = ursa.token("e1", Way::Tunnel, "ec2")?;

    let mut crowd = rogue.run_argv(["python3", "-c", SLOW]).open_stdin().spawn()?;
    crowd.wait_for_output("inside", PATIENCE)?;
    oversized(&rogue)?;
    e1.run("landbridge-node join --token-stdin").stdin(token.as_str()).deadline(PATIENCE).expect_ok()?;
    a_stranger_in_tls(&rogue)?;
    replayed(&ursa, &rogue, &token)?;
    crowd.close_stdin()?;
    crowd.wait(PATIENCE)?;

    let memory = ursa.frontend.run("awk '/^VmRSS/ {print $2}' /proc/$(pgrep -o -x landbridged)/status");
    let memory: u64 = memory.expect_ok()?.trim().parse().expect("a number of KiB");
    println!("the daemon has {memory} KiB");
    assert!(memory < MOST_MEMORY_KIB, "the daemon has {memory} KiB");
    Ok(())
}

/// 100 MB to the only request that strangers may make, from eight at once: refused, whatever they get through.
fn oversized(rogue: &Machine) -> LabResult<()> {
    let flood = "head -c 100000000 /dev/zero | curl -sk -o /dev/null -w '%{http_code}\\n' --data-binary @- ";
    let all = format!("for n in 1 2 3 4 5 6 7 8; do {flood} {DOOR}/v1/join & done; wait");
    let said = rogue.run(&all).deadline(PATIENCE).output()?.out();
    // 413, or a connection that was closed before curl had heard of it.
    assert!(said.lines().count() == 8 && said.lines().all(|code| !code.starts_with('2')), "{said}");
    Ok(())
}

/// A certificate that somebody signed for himself.
fn a_stranger_in_tls(rogue: &Machine) -> LabResult<()> {
    let make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=e1 -keyout k.pem -out c.pem -days 1";
    rogue.run(&format!("{make} 2> /dev/null")).expect_ok()?;
    rogue.run(&format!("curl -sk --cert c.pem --key k.pem {DOOR}/v1/orders?after=0")).expect_failure()?;
    let said = rogue.run(&format!("curl -sk {DOOR}/v1/orders?after=0")).expect_ok()?;
    assert!(said.contains("\"stranger\""), "{said}");
    Ok(())
}

/// The same token once more, with another key: refused, and the worker it belongs to stays as it is.
fn replayed(ursa: &Ursa, rogue: &Machine, token: &str) -> LabResult<()> {
    let finished = rogue.run("landbridge-node join --token-stdin").stdin(token).deadline(PATIENCE).expect_failure()?;
    assert_eq!(finished.status, 11, "{}", finished.out());
    assert!(finished.out().contains("by another key"), "{}", finished.out());
    assert_eq!(ursa.ask("worker show e1")?["state"], "ready");
    let events = ursa.landbridge("events").expect_ok()?;
    assert!(events.contains("refused to let a machine that calls itself rogue join: the token was used"), "{events}");
    Ok(())
}
