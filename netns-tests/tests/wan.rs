//! The long way between two networks is as slow, lossy and narrow as it is told to be.

use std::time::Duration;

use netns_tests::{Lab, LabResult, Machine, Wan};

/// Two machines with a way between them.
fn across(name: &str) -> LabResult<(Lab, Machine, Machine, Wan)> {
    let lab = Lab::new(name)?;
    let (cloud, internet) = (lab.network("cloud")?, lab.network("internet")?);
    let wan = lab.wan(&cloud, &internet)?;
    let far = lab.machine("far").nic("eth0", &cloud, "203.0.113.11/24").route("198.51.100.0/24", "eth0").start()?;
    let near = lab.machine("near").nic("wan0", &internet, "198.51.100.1/24").route("203.0.113.0/24", "wan0").start()?;
    Ok((lab, far, near, wan))
}

/// Round-trip times of a few pings, in milliseconds.
fn round_trips(from: &Machine, count: u32) -> LabResult<Vec<f64>> {
    let text = from.run(&format!("ping -c {count} -i 0.01 -W 5 198.51.100.1")).expect_ok()?;
    let time = |line: &str| line.split("time=").nth(1)?.split(' ').next()?.parse().ok();
    Ok(text.lines().filter_map(time).collect())
}

/// Megabits in a second over one TCP connection.
fn throughput(far: &Machine, near: &Machine, seconds: u32) -> LabResult<f64> {
    let mut server = near.run("iperf3 --server --forceflush").spawn()?;
    server.wait_for_output("Server listening", Duration::from_secs(10))?;
    let json = far.run(&format!("iperf3 --client 198.51.100.1 --time {seconds} --json")).expect_ok()?;
    server.signal(9)?;
    server.wait(Duration::from_secs(10))?;
    let report: serde_json::Value = serde_json::from_str(&json).expect("iperf3 prints JSON");
    let received = report["end"]["sum_received"]["bits_per_second"].as_f64();
    Ok(received.unwrap_or_else(|| panic!("no sum of what was received: {json}")) / 1e6)
}

#[test]
fn a_ping_takes_twice_the_delay_and_less_once_it_is_taken_away() -> LabResult<()> {
    let (_lab, far, _near, wan) = across("delay")?;
    wan.set_delay(Duration::from_millis(40));
    let slow = round_trips(&far, 10)?;
    assert!(slow.iter().all(|&ms| ms >= 80.0), "{slow:?}");
    assert!(slow[1..].iter().any(|&ms| ms < 100.0), "{slow:?}");

    wan.set_delay(Duration::ZERO);
    let fast = round_trips(&far, 10)?;
    assert!(fast.iter().any(|&ms| ms < 20.0), "{fast:?}");
    Ok(())
}

#[test]
fn as_many_packets_are_lost_as_asked() -> LabResult<()> {
    let (_lab, far, near, wan) = across("loss")?;
    assert_eq!(round_trips(&far, 100)?.len(), 100);
    // Neighbours are settled: what gets lost of ARP would make further pings get lost.
    let settle =
        "ip -4 neigh | while read ip _ nic _ mac _; do ip neigh replace $ip lladdr $mac dev $nic nud permanent; done";
    far.run(settle).expect_ok()?;
    near.run(settle).expect_ok()?;
    wan.set_loss(0.2);
    // Lost on either way: 1 - 0.8 * 0.8 = 36 %. Of 500, 180; three standard deviations are 32.
    let answered = round_trips(&far, 500)?.len();
    println!("{answered} of 500 pings were answered");
    assert!((280..=360).contains(&answered), "{answered} of 500 pings were answered at 20 % loss each way");
    Ok(())
}

#[test]
fn tcp_gets_the_rate_that_is_set_and_not_more() -> LabResult<()> {
    let (_lab, far, near, wan) = across("rate")?;
    wan.set_rate(50_000_000);
    let limited = throughput(&far, &near, 2)?;
    assert!((20.0..=52.0).contains(&limited), "{limited} Mbit/s at a rate of 50");
    wan.set_rate(None);
    let open = throughput(&far, &near, 1)?;
    println!("an open way carries {open:.0} Mbit/s");
    assert!(open > 2.0 * limited, "{open} Mbit/s on an open way");
    Ok(())
}

#[test]
fn filters_stop_what_they_name_and_nothing_else() -> LabResult<()> {
    let (_lab, far, near, wan) = across("filters")?;
    let ping = |options: &str| far.run(&format!("ping -c 1 -W 1 {options} 198.51.100.1"));
    let udp = || -> LabResult<bool> {
        let mut listener = near.run("python3 -c 'import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind((\"\", 9)); print(\"up\", flush=True); s.settimeout(1); print(s.recv(9))'").spawn()?;
        listener.wait_for_output("up", Duration::from_secs(10))?;
        far.run_argv(["/bin/bash", "-c", "echo hello > /dev/udp/198.51.100.1/9"]).expect_ok()?;
        Ok(listener.wait(Duration::from_secs(10))?.status == 0)
    };

    assert!(udp()?);
    wan.block_udp(true);
    assert!(!udp()?);
    ping("").expect_ok()?;
    wan.block_udp(false);

    ping("-s 4000").expect_ok()?;
    wan.block_fragments(true);
    ping("-s 4000").expect_failure()?;
    ping("-s 1400").expect_ok()?;
    wan.block_fragments(false);

    wan.set_mtu(1400);
    ping("-M do -s 1373").expect_failure()?;
    ping("-M do -s 1372").expect_ok()?;
    wan.set_mtu(None);

    wan.cut(true);
    ping("").expect_failure()?;
    wan.cut(false);
    ping("").expect_ok()?;
    Ok(())
}
