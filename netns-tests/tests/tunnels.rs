//! What goes through the tunnels: which transport, packets of which size, and what becomes of them when the way changes.

use std::time::Duration;

use landbridge_fabric::Mtu;
use landbridge_node::path::SendRoom;
use netns_tests::ursa::{Ursa, Way};
use netns_tests::{LabResult, Machine, Running};
use rstest::rstest;

/// For whatever comes by itself, on a busy machine.
const SOON: Duration = Duration::from_secs(90);
/// For a word and its answer over a path that may just have changed.
const PATIENCE: Duration = Duration::from_mins(1);

/// Sends back each line of one connection.
const ECHO: &str = "perl -MIO::Socket::INET -e '
    my $door = IO::Socket::INET->new(Listen => 1, LocalAddr => \"10.77.0.1:9000\", ReuseAddr => 1) or die $!;
    print \"listening\\n\"; STDOUT->flush;
    my $peer = $door->accept; while (<$peer>) { print $peer $_; $peer->flush }'";
/// For each word sends a line of a megabyte over one connection, and says how long the answer is.
const TALK: &str = "perl -MIO::Socket::INET -e '
    my $peer = IO::Socket::INET->new(\"10.77.0.1:9000\") or die $!;
    $| = 1; while (<STDIN>) { chomp; print $peer \"x\" x 1000000, \"\\n\"; $peer->flush;
    print \"$_: \" . length(<$peer> // die \"lost\") . \"\\n\" }'";
/// Answers each datagram with itself.
const REFLECT: &str = "perl -MIO::Socket::INET -e '
    my $socket = IO::Socket::INET->new(Proto => \"udp\", LocalPort => 9000) or die $!;
    print \"listening\\n\"; STDOUT->flush;
    my $data; while ($socket->recv($data, 65536)) { $socket->send($data) }'";

/// A machine's own kernel has small buffers at first, and a container can't change that: OpenVPN must never give a socket
/// more than it takes.
#[rstest]
#[case::as_in_a_container("mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys", 12_000)]
#[case::where_they_can_be_had("true", 60_000)]
fn no_packet_is_too_large_for_the_sockets_of_a_fresh_machine(
    #[case] prepare: &str,
    #[case] most: u32,
) -> LabResult<()> {
    const ROOM: &str = "cat /proc/sys/net/core/wmem_max";
    let ursa = Ursa::up("room")?;
    let e1 = ursa.instance("e1", "203.0.113.11/24")?;
    e1.run(prepare).expect_ok()?;
    let before = e1.run(ROOM).expect_ok()?;
    ursa.join(&e1, Way::Tunnel, "ec2")?;
    carries(&e1, "10.77.0.1", most)?;
    carries(&ursa.frontend, &ursa.address("e1")?, widest())?;
    for size in [11_000, widest() - 1_000] {
        e1.run(&format!("ping -c 20 -i 0.01 -W 5 -s {size} 10.77.0.1")).expect_ok()?;
    }
    let log = e1.read_text("/var/log/landbridge-node/openvpn.log")?;
    let sessions = log.matches("Initialization Sequence Completed").count();
    assert!(sessions == 1 && !log.contains("truncated"), "the tunnel broke:\n{log}");
    assert_eq!(before != e1.run(ROOM).expect_ok()?, most == 60_000);
    e1.run("landbridge-node leave").deadline(SOON).expect_ok()?;
    assert_eq!(e1.run(ROOM).expect_ok()?, before);
    Ok(())
}

/// A far worker and a near one; the near one is a virtual machine on a physical host.
#[test]
fn large_packets_go_through_tunnels_only_and_unlike_peers_lose_none() -> LabResult<()> {
    let ursa = Ursa::light("unlike")?;
    ursa.enrol(&ursa.hosts[0])?;
    let (w1, e1) = (ursa.guest("w1", &ursa.hosts[0])?, ursa.light_instance("e1", "203.0.113.11/24")?);
    ursa.join(&w1, Way::Bridge, "ursa01")?;
    ursa.join(&e1, Way::Tunnel, "ec2")?;
    let (near, far) = (ursa.address("w1")?, ursa.address("e1")?);

    carries(&e1, "10.77.0.1", widest())?;
    carries(&ursa.frontend, &far, widest())?;
    for (from, to) in [(&e1, "10.77.0.1"), (&ursa.frontend, far.as_str())] {
        from.run(&format!("ping -c 3 -i 0.2 -W 5 -M do -s {} {to}", widest() - 1_000)).expect_ok()?;
    }
    for (from, to) in [(&w1 as &Machine, &far), (&e1, &near)] {
        let said = from.run(&format!("ping -c 1 -W 5 -M do -s 1473 {to}")).expect_failure()?;
        assert!((said.out() + &said.err()).contains("too long"), "the sender is told: {}{}", said.out(), said.err());
        from.run(&format!("ping -c 5 -i 0.2 -W 5 -s 4000 {to}")).expect_ok()?;
    }
    for (from, to, address) in [(&w1 as &Machine, &e1, &far), (&e1, &w1, &near)] {
        datagrams(from, to, address)?;
        stream(from, to, address)?;
    }
    let ports = ursa.frontend.run("ip -o link show lbvx-ursa; ip -o link show lbbr-ursa").expect_ok()?;
    assert_eq!(ports.matches("mtu 1500").count(), 2, "only the taps take more: {ports}");
    ursa.landbridge("worker destroy e1 --wait").expect_ok()?;
    ursa.frontend.wait_until("! ip route show proto 76 table all | grep lbbr-ursa", SOON)?;
    Ok(())
}

#[test]
fn a_way_that_begins_to_drop_fragments_costs_no_connection_and_large_packets_come_back_with_it() -> LabResult<()> {
    let ursa = Ursa::light_with_tunnel("fragments", "transport = \"udp\"\nmtu = 32000")?;
    let e1 = ursa.light_instance("e1", "203.0.113.11/24")?;
    ursa.join(&e1, Way::Tunnel, "ec2")?;
    let far = ursa.address("e1")?;
    let both = |mtu: u32| carries(&e1, "10.77.0.1", mtu).and_then(|()| carries(&ursa.frontend, &far, mtu));
    both(32_000)?;
    let (_echo, mut talk) = conversation(&ursa, &e1)?;
    says(&mut talk, "wide")?;
    let segments = e1.run("ss --tcp --info --no-header dst 10.77.0.1:9000").expect_ok()?;
    assert!(segments.contains(" mss:31"), "TCP's segments are as large as the packets: {segments}");

    ursa.wan.block_fragments(true);
    talk.write_stdin("narrow\n")?;
    both(1400)?;
    talk.wait_for_output("narrow: 1000001", PATIENCE)?;

    ursa.wan.block_fragments(false);
    both(32_000)?;
    says(&mut talk, "again")
}

#[test]
fn where_one_transport_is_blocked_the_other_carries_the_tunnel() -> LabResult<()> {
    let ursa = Ursa::light("transports")?;
    let e1 = ursa.light_instance("e1", "203.0.113.11/24")?;
    let e2 = ursa.light_instance("e2", "203.0.113.12/24")?;
    ursa.wan.block_udp(true);
    ursa.join(&e1, Way::Tunnel, "ec2")?;
    ursa.wan.block_udp(false);
    let rules = "table inet test {\n chain in {\n type filter hook input priority -10;\n iifname wan0 tcp dport 1194-1203 drop;\n }\n}\n";
    ursa.frontend.run("nft -f -").stdin(rules).expect_ok()?;
    ursa.join(&e2, Way::Tunnel, "ec2")?;
    let clients = |protocol: &str| -> LabResult<u64> {
        let tunnels = ursa.ask("status")?["front_end"]["tunnels"].clone();
        let of = tunnels.as_array().into_iter().flatten().filter(|t| t["protocol"] == protocol);
        Ok(of.filter_map(|t| t["clients"].as_u64()).sum())
    };
    assert_eq!(clients("UDP")?, 1);
    Ok(())
}

/// What goes over TCP from a machine of this one's kernel: a namespace can't set the room itself.
fn widest() -> u32 {
    let room = std::fs::read_to_string("/proc/sys/net/core/wmem_max").expect("the kernel's word");
    let room = SendRoom::of(room.trim().parse().expect("a number"));
    room.most(Mtu::new(60_000).expect("an MTU")).bytes()
}

/// The congestion control of the tunnel's connection as a machine's kernel shows it.
const CONTROL: &str = "ss --tcp --info --no-header --processes state established | grep -A 1 openvpn | grep -w bbr";

#[test]
fn the_tunnels_connection_goes_by_bbr_and_nobody_elses_does() -> LabResult<()> {
    let ursa = Ursa::draw_light("congestion")?;
    let e1 = ursa.light_instance("e1", "203.0.113.11/24")?;
    // A namespace may not choose Debian's, cubic, where its kernel has another; this one everybody may.
    for machine in [&ursa.frontend, &e1] {
        machine.run("echo reno >/proc/sys/net/ipv4/tcp_congestion_control").expect_ok()?;
    }
    ursa.landbridge("up").expect_ok()?;
    ursa.join(&e1, Way::Tunnel, "ec2")?;
    for machine in [&ursa.frontend, &e1] {
        machine.wait_until(CONTROL, SOON)?;
    }
    let (_echo, mut talk) = conversation(&ursa, &e1)?;
    says(&mut talk, "by reno")?;
    e1.run("ss --tcp --info --no-header dst 10.77.0.1:9000 | grep -w reno").expect_ok()?;

    // A new connection, without a new process on either side.
    let first = e1.run("ss --tcp --no-header --processes state established | grep openvpn").expect_ok()?;
    e1.run("pkill -USR1 -x openvpn").expect_ok()?;
    let another = "ss --tcp --no-header --processes state established | grep openvpn";
    e1.wait_until(
        &format!("{another} && [ \"$({another})\" != \"$FIRST\" ]").replace("$FIRST", first.trim_end()),
        SOON,
    )?;
    for machine in [&ursa.frontend, &e1] {
        machine.wait_until(CONTROL, SOON)?;
    }
    Ok(())
}

/// Waits until packets of this size, and no larger ones, go to an address.
fn carries(from: &Machine, to: &str, mtu: u32) -> LabResult<()> {
    from.wait_until(&format!("ip route show proto 76 {to} | grep -v tos | grep -w 'mtu {mtu}'"), SOON).map(drop)
}

/// The echo, and who talks to it.
fn conversation(ursa: &Ursa, worker: &Machine) -> LabResult<(Running, Running)> {
    let mut echo = ursa.frontend.run(ECHO).spawn()?;
    echo.wait_for_output("listening", PATIENCE)?;
    Ok((echo, worker.run(TALK).open_stdin().spawn()?))
}

fn says(talk: &mut Running, word: &str) -> LabResult<()> {
    talk.write_stdin(format!("{word}\n"))?;
    talk.wait_for_output(&format!("{word}: 1000001"), PATIENCE)
}

/// Datagrams larger than the vLAN's packets, and back.
fn datagrams(from: &Machine, to: &Machine, address: &str) -> LabResult<()> {
    let mut reflect = to.run(REFLECT).spawn()?;
    reflect.wait_for_output("listening", PATIENCE)?;
    let send = format!(
        "perl -MIO::Socket::INET -e '
         my $socket = IO::Socket::INET->new(Proto => \"udp\", PeerAddr => \"{address}:9000\") or die $!;
         alarm 20; for (1 .. 10) {{ $socket->send(\"x\" x 8000); $socket->recv(my $data, 65536); print length $data, \"\\n\" }}'"
    );
    assert_eq!(from.run(&send).deadline(PATIENCE).expect_ok()?, "8000\n".repeat(10));
    reflect.signal(9)?;
    reflect.wait(PATIENCE).map(drop)
}

/// Some megabytes over one connection, each way.
fn stream(from: &Machine, to: &Machine, address: &str) -> LabResult<()> {
    for direction in ["", "--reverse"] {
        let mut server = to.run("iperf3 --server --one-off --forceflush").spawn()?;
        server.wait_for_output("Server listening", PATIENCE)?;
        from.run(&format!("iperf3 --client {address} --bytes 5M {direction}")).deadline(PATIENCE).expect_ok()?;
        server.wait(PATIENCE)?;
    }
    Ok(())
}
