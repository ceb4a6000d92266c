//! The lab is what it says it is.

use std::time::{Duration, Instant};

use netns_tests::{Lab, LabError, LabResult};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn machines_reach_each_other_over_a_network_and_over_no_other() -> LabResult<()> {
    let lab = Lab::new("reach")?;
    let underlay = lab.network("underlay")?;
    let elsewhere = lab.network("elsewhere")?;
    let one = lab.machine("one").nic("und0", &underlay, "192.0.2.1/24").start()?;
    let two = lab.machine("two").nic("und0", &underlay, "192.0.2.2/24").start()?;
    let _three = lab.machine("three").nic("und0", &elsewhere, "192.0.2.3/24").start()?;

    one.run("ping -c 1 -W 5 192.0.2.2").expect_ok()?;
    two.run("ping -c 1 -W 5 192.0.2.1").expect_ok()?;
    one.run("ping -c 1 -W 1 192.0.2.3").expect_failure()?;
    Ok(())
}

#[test]
fn a_machine_is_a_machine_of_its_own() -> LabResult<()> {
    let lab = Lab::new("own")?;
    let one = lab.machine("one").host_entry("192.0.2.2", "two two.example").start()?;
    let two = lab.machine("two").start()?;

    assert_eq!(one.run("hostname").expect_ok()?, "one\n");
    assert_eq!(one.run("getent hosts two.example").expect_ok()?, "192.0.2.2       two two.example\n");
    one.write_file("/etc/only/here", "yes")?;
    two.run("test -e /etc/only/here").expect_failure()?;
    assert_eq!(one.read_text("/etc/only/here")?, "yes");
    assert_eq!(one.run("ls /sys/class/net").expect_ok()?, "lo\n");
    one.run("test -c /dev/net/tun && test -c /dev/fuse && landbridge-lab-init < /dev/null").expect_failure()?;
    assert_eq!(one.run("stat -c %a /dev/net/tun /dev/null").expect_ok()?, "666\n666\n");
    Ok(())
}

#[test]
fn commands_have_input_output_status_and_a_deadline() -> LabResult<()> {
    let lab = Lab::new("commands")?;
    let one = lab.machine("one").start()?;

    assert_eq!(one.run("tr a-z A-Z").stdin("both kinds").expect_ok()?, "BOTH KINDS");
    let bad = one.run("echo out; echo err >&2; exit 7").expect_failure()?;
    assert_eq!((bad.status, bad.out().as_str(), bad.err().as_str()), (7, "out\n", "err\n"));
    assert_eq!(one.run("kill -TERM $$").output()?.status, 128 + 15);
    let late = one.run("echo begun; sleep 1000").deadline(Duration::from_millis(300)).output();
    assert!(matches!(late, Err(LabError::Deadline { seen, .. }) if seen.contains("begun")));
    one.run("pgrep sleep").expect_failure()?;
    assert_eq!(one.run("head -c 3000000 /dev/zero").output()?.stdout.len(), 3_000_000);
    let missing = one.run_argv(["/no/such/program"]).output();
    assert!(matches!(missing, Err(LabError::Agent { message, .. }) if message.contains("No such file")));
    Ok(())
}

#[test]
fn an_orphaned_daemon_lives_on_and_leaves_no_zombie_when_it_ends() -> LabResult<()> {
    let lab = Lab::new("orphans")?;
    let one = lab.machine("one").start()?;

    let started = Instant::now();
    // The daemon keeps the command's output open: the command's end must not wait for it.
    one.run("sleep 1000 & echo $! > /run/daemon").expect_ok()?;
    assert!(started.elapsed() < Duration::from_secs(100));
    one.run("kill $(cat /run/daemon)").expect_ok()?;
    one.wait_until("! test -e /proc/$(cat /run/daemon)", SOON)?;
    Ok(())
}

#[test]
fn a_long_running_command_is_followed_and_signalled() -> LabResult<()> {
    let lab = Lab::new("spawn")?;
    let one = lab.machine("one").start()?;

    let mut server = one.run("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.1; done").spawn()?;
    server.wait_for_output("ready", SOON)?;
    server.signal(15)?;
    let end = server.wait(SOON)?;
    assert_eq!((end.status, end.out().as_str()), (3, "ready\nbye\n"));
    Ok(())
}

#[test]
fn what_appears_is_waited_for() -> LabResult<()> {
    let lab = Lab::new("wait")?;
    let one = lab.machine("one").start()?;

    let later = one.run("sleep 0.3; mkdir -p /run/a/b; echo > /run/a/b/file; iperf3 --server --one-off").spawn()?;
    one.wait_for_path("/run/a/b/file", SOON)?;
    one.wait_for_tcp(([127, 0, 0, 1], 5201).into(), SOON)?;
    let never = one.wait_for_path("/run/never", Duration::from_millis(100));
    assert!(matches!(never, Err(LabError::Agent { message, .. }) if message.contains("/run/never did not appear")));
    later.signal(9)
}

#[test]
fn a_wrong_drawing_is_refused_in_plain_words() -> LabResult<()> {
    let lab = Lab::new("wrong")?;
    let net = lab.network("net")?;
    let _one = lab.machine("one").start()?;

    let twice = lab.machine("one").start().map(|_| ()).expect_err("the name is taken").to_string();
    assert_eq!(twice, "there are two machines named one");
    let address = lab.machine("two").nic("eth0", &net, "192.0.2.300/24").start();
    let words = address.map(|_| ()).expect_err("no such address").to_string();
    assert!(words.starts_with("two: 192.0.2.300/24 is no address with a prefix"), "{words}");
    Ok(())
}

#[test]
fn a_network_carries_packets_of_its_mtu_and_no_larger_ones() -> LabResult<()> {
    let lab = Lab::new("mtu")?;
    let jumbo = lab.network_with_mtu("jumbo", 9000)?;
    let one = lab.machine("one").nic("und0", &jumbo, "192.0.2.1/24").start()?;
    let _two = lab.machine("two").nic("und0", &jumbo, "192.0.2.2/24").start()?;
    let _guest = lab.uml("guest").nic("eth0", &jumbo, "192.0.2.3/24").boot()?;

    one.run("ping -c 1 -W 5 -M do -s 8972 192.0.2.2").expect_ok()?;
    one.run("ping -c 1 -W 5 -M do -s 8972 192.0.2.3").expect_ok()?;
    jumbo.set_mtu(4000)?;
    one.run("ping -c 1 -W 1 -M do -s 8972 192.0.2.2").expect_failure()?;
    one.run("ping -c 1 -W 5 -M do -s 3972 192.0.2.2").expect_ok()?;
    Ok(())
}

#[test]
#[ignore = "fails on purpose, for the test below"]
fn a_test_in_trouble() -> LabResult<()> {
    let lab = Lab::new("trouble")?;
    let one = lab.machine("one").start()?;
    one.write_file("/var/log/landbridge/daemon.log", "the daemon's last words\n")?;
    one.run("echo why >&2; false").expect_ok().map(drop)
}

#[test]
fn a_failing_test_shows_the_logs_of_its_machines() {
    let test = std::env::current_exe().expect("this program has a path");
    let arguments = ["--exact", "a_test_in_trouble", "--ignored"];
    let output = std::process::Command::new(test).args(arguments).output().expect("it starts");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success());
    assert!(shown.contains("on one: `echo why >&2; false` ended with status 1"), "{shown}");
    assert!(shown.contains("why") && shown.contains("the daemon's last words"), "{shown}");
}
