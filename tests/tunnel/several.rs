//! Several server processes, over TCP, and one over UDP that stands by.

use landbridge::spec::{Transport, Tunnels};

use super::lab::{FRONT_END, Lab, READY, Worker};

/// Two servers over TCP; the third is the one over UDP.
const TWO: Tunnels = Tunnels { transport: Transport::Auto, servers: Some(2), mtu: None };

fn admitted(lab: &mut Lab, n: u8) -> Worker {
    let worker = lab.worker(n);
    lab.admit(&worker.name, worker.address);
    worker
}

#[test]
fn workers_spread_over_the_servers_and_are_one_network_all_the_same() {
    let mut lab = Lab::with(TWO);
    let _servers = [lab.serve_nth(0), lab.serve_nth(1)];
    let workers: Vec<_> = (1..=4).map(|n| admitted(&mut lab, n)).collect();
    let _clients: Vec<_> = workers.iter().map(Worker::connect).collect();

    assert_eq!((lab.sessions_with(0).len(), lab.sessions_with(1).len()), (2, 2));
    for from in &workers {
        from.ping(FRONT_END, 1500);
        for to in workers.iter().filter(|to| to.name != from.name) {
            from.ping(to.address, 1500);
        }
    }
    // Revoked is revoked, whichever server has the session.
    for worker in &workers {
        lab.revoke(&worker.name);
        assert_eq!(lab.cut(&worker.name), 1, "{}", worker.name);
    }
    assert_eq!((lab.sessions_with(0), lab.sessions_with(1)), (vec![], vec![]));
}

#[test]
fn a_worker_whose_server_is_gone_has_its_address_again_from_another() {
    let mut lab = Lab::with(TWO);
    let mut servers = vec![lab.serve_nth(0), lab.serve_nth(1)];
    let worker = admitted(&mut lab, 1);
    let client = worker.connect();
    let had = usize::from(!lab.sessions_with(1).is_empty());
    servers.remove(had).terminate();

    client.wait_for_times(READY, 2);
    worker.ping(FRONT_END, 1500);
    let other = u8::from(had == 0);
    assert_eq!(lab.sessions_with(other)[0].virtual_address, worker.address);
    assert!(worker.netns.ip("-4 -br address show dev lbw-ursa").contains("10.77.1.1/16"));
}

#[test]
fn where_tcp_does_not_get_through_udp_does() {
    let mut lab = Lab::with(TWO);
    let _server = lab.serve_nth(2);
    let worker = admitted(&mut lab, 1);
    let _client = worker.connect();
    worker.ping(FRONT_END, 1500);
    assert_eq!(lab.sessions_with(2).len(), 1);
}
