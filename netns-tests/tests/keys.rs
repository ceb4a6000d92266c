//! Keys while the cluster works: a worker that is locked out, and an authority that is replaced under way.

use std::time::{Duration, Instant};

use netns_tests::ursa::{Ursa, Way};
use netns_tests::{LabResult, Machine};

/// For whatever comes by itself, on a busy machine.
const SOON: Duration = Duration::from_secs(90);
/// Whom the front-end trusts.
const TRUST: &str = "/var/lib/landbridge/tunnel/trust.crt";
/// From `pki revoke` to the worker's last packet.
const AT_ONCE: Duration = Duration::from_secs(1);

#[test]
fn a_revoked_workers_traffic_stops_at_once_and_it_stays_out_and_nobody_else_notices() -> LabResult<()> {
    let ursa = Ursa::up("revoke")?;
    let (e1, e2) = (ursa.instance("e1", "203.0.113.11/24")?, ursa.instance("e2", "203.0.113.12/24")?);
    ursa.join(&e1, Way::Tunnel, "ec2")?;
    ursa.join(&e2, Way::Tunnel, "ec2")?;
    let (revoked, bystander) = (ursa.address("e1")?, ursa.address("e2")?);

    let disturbed = e2.run("ping -q -i 0.05 -c 100 10.77.0.1").spawn()?;
    let took = ursa.revoke_under_traffic(&e1)?;
    println!("revoked: {took:?}");
    assert!(took.last_packet < AT_ONCE, "{took:?}");
    let alive = disturbed.wait(SOON)?;
    assert!(alive.out().contains(" 0% packet loss"), "e2 was disturbed: {}", alive.out());

    assert_eq!((ursa.state("e1")?, ursa.state("e2")?), ("failed".to_owned(), "ready".to_owned()));
    ursa.frontend.run(&format!("ping -c 3 -W 1 {revoked}")).expect_failure()?;
    ursa.frontend.run(&format!("ping -c 3 -W 1 {bystander}")).expect_ok()?;
    let rejoin = e1.run("landbridge-node join").deadline(SOON).expect_failure()?;
    let text = rejoin.out() + &rejoin.err();
    assert!(text.contains("its certificate was revoked"), "{text}");
    // Its home directories hang on a server that is out of reach; it can undo its part all the same.
    e1.run("landbridge-node leave").deadline(SOON).expect_ok()?;
    e1.run("! grep nfs4 /proc/mounts && ! pgrep -x openvpn && ! ls /sys/class/net | grep lbw").expect_ok()?;
    assert_eq!(ursa.landbridge("pki revoke e1").expect_ok()?, "e1 was locked out already\n");
    ursa.landbridge("worker destroy e1 --wait").expect_ok()?;
    assert_eq!(ursa.landbridge("audit").expect_ok()?, "nothing is left over\n");
    Ok(())
}

#[test]
fn the_authority_is_replaced_while_everybody_works() -> LabResult<()> {
    let ursa = Ursa::up("rotate")?;
    let w1 = ursa.guest("w1", &ursa.hosts[0])?;
    let e1 = ursa.instance("e1", "203.0.113.11/24")?;
    ursa.join(&w1, Way::Bridge, "ursa01")?;
    ursa.join(&e1, Way::Tunnel, "ec2")?;
    what_will_break(&ursa)?;

    let early = ursa.token("e2", Way::Tunnel, "ec2")?;
    let old = trusted(&ursa.frontend)?;
    ursa.landbridge("pki rotate").expect_ok()?;
    let both = trusted(&ursa.frontend)?;
    assert_eq!((old.len(), both.len()), (1, 2));
    // A token made before it is good during it.
    let e2 = ursa.instance("e2", "203.0.113.12/24")?;
    let joined = ursa.try_join(&e2, Way::Tunnel, &early)?;
    assert_eq!(joined.status, 0, "{}{}", joined.out(), joined.err());
    // Nobody is told twice, and nobody does anything: nodes renew by themselves.
    ursa.frontend.wait_until("landbridge pki show | grep 'waiting: nobody'", SOON)?;

    ursa.landbridge("pki rotate --finish").expect_ok()?;
    let new = trusted(&ursa.frontend)?;
    assert_eq!(new.len(), 1);
    assert!(!old.contains(&new[0]) && both.contains(&new[0]));
    for machine in [&w1 as &Machine, &e1, &e2] {
        new_authority_only(&ursa, machine)?;
        machine.run("landbridge-node join").deadline(SOON).expect_ok()?;
    }
    hosts_hear_on(&ursa)?;
    assert_eq!(ursa.landbridge("audit").expect_ok()?, "nothing is left over\n");
    Ok(())
}

/// A worker's clock, set past two thirds of its certificate's year and not past its end. With such a clock no machine joins; one that has
/// joined goes on.
const LATER: &str = "date --set '+250 days'";

#[test]
fn a_certificate_is_renewed_by_its_age_with_a_key_of_its_own() -> LabResult<()> {
    let ursa = Ursa::up("age")?;
    let e1 = ursa.instance("e1", "203.0.113.11/24")?;
    ursa.join(&e1, Way::Tunnel, "ec2")?;
    let key = "openssl pkey -in /var/lib/landbridge-node/key.pem -pubout";
    let (before, first_key) = (valid(&ursa, "e1")?, e1.run(key).expect_ok()?);
    assert_eq!(before.len(), 1);

    e1.run(LATER).expect_ok()?;
    e1.run("pkill -KILL -f 'landbridge-nod[e] agent'").output()?;
    e1.run("setsid --fork landbridge-node agent >/dev/null 2>&1").deadline(SOON).expect_ok()?;
    ursa.frontend.wait_until("[ $(landbridge pki show | grep -c '^ *e1 .*valid') = 2 ]", SOON)?;
    let after = valid(&ursa, "e1")?;
    assert!(after.contains(&before[0]), "the old one is good until its end: {after:?}");
    e1.wait_until(&format!("[ \"$({key})\" != '{}' ]", first_key.trim_end()), SOON)?;
    // The tunnel begins anew with it.
    e1.wait_until("ping -c 1 -W 5 10.77.0.1", SOON)?;
    assert_eq!(ursa.state("e1")?, "ready");
    Ok(())
}

/// The serials of its valid certificates.
fn valid(ursa: &Ursa, name: &str) -> LabResult<Vec<String>> {
    let all = ursa.ask("pki show")?["certificates"].clone();
    let ours = all.as_array().into_iter().flatten().filter(|it| it["name"] == name && it["state"] == "valid");
    Ok(ours.map(|it| it["serial"].to_string()).collect())
}

/// `pki show` and `pki check` know who is there and when it ends.
fn what_will_break(ursa: &Ursa) -> LabResult<()> {
    let names: Vec<String> = ursa.ask("pki show")?["certificates"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|record| record["name"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(names, ["e1", "frontend", "ursa01", "ursa02", "w1"]);
    assert_eq!(ursa.ask("pki check --at +1d")?, serde_json::json!([]));
    let broken = |at: &str| -> LabResult<Vec<String>> {
        let all = ursa.ask(&format!("pki check --at {at}"))?;
        Ok(all.as_array().into_iter().flatten().map(|b| b["name"].as_str().unwrap_or_default().to_owned()).collect())
    };
    println!("broken by +1y: {:?}; by +11y: {:?}", broken("+1y")?, broken("+11y")?);
    for name in &names {
        assert!(broken("+1y")?.contains(name), "{name} needs a renewal within a year");
    }
    assert!(broken("+11y")?.len() > broken("+1y")?.len(), "the authority itself ends within eleven years");
    Ok(())
}

/// The authorities that the front-end trusts, by their fingerprints, as OpenSSL reads them.
fn trusted(frontend: &Machine) -> LabResult<Vec<String>> {
    let each = "openssl crl2pkcs7 -nocrl -certfile FILE | openssl pkcs7 -print_certs | \
                awk '/BEGIN/ { n++ } n { print > (\"/tmp/trust.\" n) }'; \
                for f in /tmp/trust.*; do openssl x509 -in $f -noout -fingerprint -sha256; rm $f; done";
    Ok(frontend.run(&each.replace("FILE", TRUST)).expect_ok()?.lines().map(str::to_owned).collect())
}

/// OpenSSL accepts the worker's certificate under the front-end's trust, and the worker soon trusts what the front-end does.
fn new_authority_only(ursa: &Ursa, worker: &Machine) -> LabResult<()> {
    let wanted = ursa.frontend.read_text(TRUST)?;
    let read = |key: &str| {
        let program = format!("import json; print(json.load(open('/var/lib/landbridge-node/identity.json'))['{key}'])");
        worker.run_argv(["python3", "-c", &program]).expect_ok()
    };
    let until = Instant::now() + SOON;
    while read("trust_pem")?.trim() != wanted.trim() {
        assert!(Instant::now() < until, "{} trusts others than the front-end", worker.name());
    }
    ursa.frontend.write_file("/tmp/worker.pem", read("certificate_pem")?)?;
    ursa.frontend.run(&format!("openssl verify -purpose sslclient -CAfile {TRUST} /tmp/worker.pem")).expect_ok()?;
    Ok(())
}

/// Hosts take orders with their new certificates: one more member, and their flood entries follow.
fn hosts_hear_on(ursa: &Ursa) -> LabResult<()> {
    ursa.landbridge("host remove ursa02").expect_ok()?;
    ursa.await_host("ursa02", "new", SOON)?;
    ursa.hosts[0].wait_until("! bridge fdb show dev lbvx-ursa | grep '^00:00:00:00:00:00 dst 192.0.2.12'", SOON)?;
    Ok(())
}
