//! The tunnel with the real OpenVPN at both ends. Needs root, `openvpn`, `ip`, `ping` and `setpriv`.

mod lab;
mod netns;
mod several;
mod stream;

use std::net::{Ipv4Addr, UdpSocket};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use lab::{FRONT_END, Lab, READY, wait, worker_name};
use landbridge::tunnel::ccd;
use landbridge::tunnel::management::{Management, ManagementError};
use landbridge_pki::Role;
use stream::Stream;

#[test]
fn an_admitted_worker_gets_its_address_and_reaches_the_front_end_with_whole_packets() {
    let mut lab = Lab::new();
    let _server = lab.serve();
    let worker = lab.worker(1);
    lab.admit(&worker.name, worker.address);
    let _client = worker.connect();

    let shown = worker.netns.ip("-4 -br address show dev lbw-ursa");
    assert!(shown.contains("10.77.1.1/16"), "{shown}");
    worker.ping(FRONT_END, 1500);
    let shown = lab.front_end.ip("neighbour show dev lbbr-ursa");
    assert!(shown.contains("10.77.1.1 lladdr 02:4c:0a:4d:01:01"), "{shown}");

    let sessions = lab.sessions();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].name, worker.name);
    assert_eq!(sessions[0].real_address.ip(), Ipv4Addr::new(198, 51, 100, 11));
    assert_eq!(sessions[0].virtual_address, worker.address);
    assert!(sessions[0].received > 1500 && sessions[0].sent > 1500, "{sessions:?}");
}

#[test]
fn a_worker_that_is_not_admitted_is_refused() {
    let mut lab = Lab::new();
    let server = lab.serve();
    let worker = lab.worker(1);
    let client = worker.dial();
    client.wait_for("AUTH_FAILED");
    server.wait_for("TLS Auth Error: --client-config-dir authentication failed for common name 'w1'");
    assert!(!client.said().contains(READY));
    assert_eq!(lab.sessions(), [], "a refused handshake is no session");
}

#[test]
fn a_cut_in_the_middle_of_a_handshake_keeps_the_worker_out() {
    let mut lab = Lab::new();
    let server = lab.serve();
    let worker = lab.worker(1);
    for (round, event) in ["TLS: Initial packet", "VERIFY OK: depth=0", "Peer Connection Initiated"].iter().enumerate()
    {
        lab.admit(&worker.name, worker.address);
        let client = worker.dial();
        client.wait_for(event);
        lab.cut(&worker.name);
        assert_eq!(lab.sessions(), [], "{event}");
        drop(client);
        worker.dial().wait_for("AUTH_FAILED");
        server.wait_for_times("TLS Auth Error: --client-config-dir authentication failed", round + 1);
        assert_eq!(lab.sessions(), [], "{event}");
    }
}

#[test]
fn the_front_ends_own_kind_of_certificate_cannot_dial_in() {
    let mut lab = Lab::new();
    let server = lab.serve();
    let impostor = lab.machine(1, Role::FrontEnd);
    lab.admit(&impostor.name, impostor.address);
    let client = impostor.dial();
    server.wait_for("VERIFY ERROR: depth=0, error=unsuitable certificate purpose");
    assert!(!client.said().contains(READY));
}

#[test]
fn a_revoked_workers_traffic_stops_within_a_second_and_it_stays_out() {
    let mut lab = Lab::new();
    let server = lab.serve();
    let (worker, other) = (lab.worker(1), lab.worker(2));
    for admitted in [&worker, &other] {
        lab.admit(&admitted.name, admitted.address);
    }
    let (client, _others) = (worker.connect(), other.connect());
    let stream = Stream::start(&worker.netns, worker.address, &lab.front_end, FRONT_END);

    let begun = Instant::now();
    lab.revoke(&worker.name);
    assert_eq!(lab.cut(&worker.name), 1);
    let record = stream.until_silence();
    let took = record.arrivals.last().map_or(Duration::ZERO, |(at, _)| at.saturating_duration_since(begun));
    println!("the last packet arrived {took:?} after the revocation began");
    assert!(took < Duration::from_secs(1), "{took:?}");
    let pause = record.longest_pause();
    assert!(
        pause < Duration::from_millis(500),
        "the worker went on sending all through the silence, but for {pause:?}"
    );

    assert_eq!(lab.sessions().iter().map(|s| &s.name).collect::<Vec<_>>(), [&other.name]);
    other.ping(FRONT_END, 84);
    assert_eq!(lab.cut(&worker.name), 0, "twice is once");

    // Even when its name is admitted again, with another key, the old one stays out.
    drop(client);
    lab.admit(&worker.name, worker.address);
    let client = worker.dial();
    server.wait_for(&format!("CN=w1, serial={} is revoked", worker.serial));
    assert!(!client.said().contains(READY));
    assert_eq!(ccd::admitted(&lab.files.ccd()).expect("a directory"), [worker.name, other.name]);
}

#[test]
fn four_workers_reach_each_other() {
    let mut lab = Lab::new();
    let _server = lab.serve();
    let workers: Vec<_> = (1..=4).map(|n| lab.worker(n)).collect();
    for worker in &workers {
        lab.admit(&worker.name, worker.address);
    }
    let clients: Vec<_> = workers.iter().map(lab::Worker::dial).collect();
    for client in &clients {
        client.wait_for(READY);
    }
    for from in &workers {
        for to in workers.iter().filter(|to| to.name != from.name) {
            from.ping(to.address, 1500);
        }
    }
}

#[test]
fn a_control_plane_that_comes_and_goes_loses_no_packet() {
    let mut lab = Lab::new();
    let server = lab.serve();
    let worker = lab.worker(1);
    lab.admit(&worker.name, worker.address);
    let _client = worker.connect();
    let stream = Stream::start(&worker.netns, worker.address, &lab.front_end, FRONT_END);

    for n in 2..50 {
        lab.admit(&worker_name(n), Ipv4Addr::new(10, 77, 1, n));
        assert_eq!(lab.cut(&worker_name(n)), 0);
    }
    // A daemon that dies in the middle of a question.
    for _ in 0..20 {
        let mut asking = UnixStream::connect(lab.files.socket(0)).expect("the server listens");
        std::io::Write::write_all(&mut asking, b"status 3\nsta").expect("the server listens");
    }
    let state = wait(async { lab.management().await.state().await }).expect("the server answers");
    assert_eq!((state.state.as_str(), state.pid), ("CONNECTED", server.pid()));

    let record = stream.stop();
    let lost = record.departures.len() - record.arrivals.len();
    assert!(lost <= 1, "{lost} of {} packets were lost (the first is not recorded)", record.departures.len());
}

#[test]
fn a_stopped_server_says_so_and_its_workers_are_back_as_soon_as_it_is() {
    let mut lab = Lab::new();
    let server = lab.serve();
    let worker = lab.worker(1);
    lab.admit(&worker.name, worker.address);
    let client = worker.connect();

    server.terminate();
    client.wait_for("SIGUSR1[soft,server-pushed-connection-reset]");
    let _server = lab.serve();
    client.wait_for_times(READY, 2);
    worker.ping(FRONT_END, 1500);
}

#[test]
fn the_server_is_root_in_name_only() {
    let lab = Lab::new();
    let server = lab.serve();
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("it runs");
    for line in
        ["CapPrm:\t0000000000001000", "CapEff:\t0000000000001000", "CapBnd:\t0000000000001000", "NoNewPrivs:\t1"]
    {
        assert!(status.contains(line), "{line}: {status}");
    }
}

#[test]
fn a_management_socket_that_somebody_holds_is_named_and_waited_for() {
    let lab = Lab::new();
    let server = lab.serve();
    let holder = UnixStream::connect(lab.files.socket(0)).expect("the server listens");
    server.wait_for("MANAGEMENT: Client connected");
    let impatient = wait(Management::connect(&lab.files.socket(0), Duration::from_millis(200)));
    assert!(matches!(impatient, Err(ManagementError::Busy { .. })), "{impatient:?}");

    // More than the backlog holds: each gets its turn once the holder is gone.
    let socket = lab.files.socket(0);
    let waiting: Vec<_> = (0..5)
        .map(|_| {
            let socket = socket.clone();
            std::thread::spawn(move || {
                wait(async { Management::connect(&socket, Duration::from_secs(10)).await?.sessions().await })
            })
        })
        .collect();
    drop(holder);
    for turn in waiting {
        assert_eq!(turn.join().expect("no panic").expect("an answer"), []);
    }
}

#[test]
fn a_server_that_does_not_run_has_no_sessions_to_cut() {
    let lab = Lab::new();
    lab.admit(&worker_name(1), Ipv4Addr::new(10, 77, 1, 1));
    assert_eq!(lab.cut(&worker_name(1)), 0);
    assert_eq!(ccd::admitted(&lab.files.ccd()).expect("a directory"), []);
    let refused = wait(Management::connect(&lab.files.socket(0), Duration::from_secs(1)));
    assert!(matches!(refused, Err(ManagementError::NotRunning { .. })), "{refused:?}");
}

#[test]
fn more_first_packets_at_once_than_openvpn_takes_by_default_are_all_answered() {
    const WORKERS: usize = 150;
    let mut lab = Lab::new();
    let _server = lab.serve();
    let worker = lab.worker(1);
    let first = first_packet(&worker);

    let answered = worker.netns.run(move || {
        let sockets: Vec<_> = (0..WORKERS).map(|_| UdpSocket::bind("198.51.100.11:0").expect("a socket")).collect();
        for socket in &sockets {
            socket.connect("198.51.100.1:1194").expect("a route");
            socket.send(&first).expect("a route");
        }
        let deadline = Instant::now() + Duration::from_secs(5);
        let heard = |socket: &&UdpSocket| {
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            socket.set_read_timeout(Some(left)).expect("a time-out");
            socket.recv(&mut [0; 1500]).is_ok()
        };
        sockets.iter().filter(heard).count()
    });
    assert_eq!(answered, WORKERS);
}

/// What a worker's client says first, heard by a socket in the server's place.
fn first_packet(worker: &lab::Worker) -> Vec<u8> {
    let socket = worker.netns.run(|| UdpSocket::bind("127.0.0.1:1194").expect("a socket"));
    let config = worker.config.to_string_lossy().into_owned();
    let text =
        std::fs::read_to_string(&config).expect("a configuration").replace("remote 198.51.100.1", "remote 127.0.0.1");
    std::fs::write(&config, text).expect("a configuration");
    let _client = worker.dial();
    let mut packet = [0; 1500];
    socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a time-out");
    let length = socket.recv(&mut packet).expect("a first packet");
    packet[..length].to_vec()
}

#[test]
fn thirty_workers_that_dial_at_once_are_all_in() {
    const WORKERS: u8 = 30;
    let mut lab = Lab::new();
    let server = lab.serve();
    let outside = lab.worker(1);
    let configs: Vec<_> = (1..=WORKERS)
        .map(|n| {
            let (name, address) = (worker_name(n), Ipv4Addr::new(10, 77, 1, n));
            lab.admit(&name, address);
            lab.client_config(&name, address, Role::Worker).0
        })
        .collect();
    // One machine plays them all, so each has a tap of another name and no address.
    let clients: Vec<_> = (1..=WORKERS)
        .zip(&configs)
        .map(|(n, config)| {
            let config = config.to_string_lossy();
            let line = format!("openvpn --config {config} --dev tap{n} --ifconfig-noexec");
            outside.netns.spawn(line.split(' ').map(str::to_owned).collect())
        })
        .collect();
    for client in &clients {
        client.wait_for(READY);
    }
    assert_eq!(lab.sessions().len(), usize::from(WORKERS));
    assert!(!server.said().contains("limit"), "{}", server.said());
}
