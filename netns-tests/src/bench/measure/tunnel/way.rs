//! The ways that tunnels are measured on, and who stands at their ends.

use super::{Bound, Contender, Ends, Goal, LEFT, Outcome, PEERS, Stream, Unit, Ursa, Way};
use std::time::Duration;

/// As Landbridge is called in tables.
pub(super) const OURS: &str = "Landbridge";
/// As it is where UDP was asked for.
const OURS_OVER_UDP: &str = "Landbridge, `transport = \"udp\"`";
/// As the way without a tunnel is.
pub(super) const BARE: &str = "no tunnel";

/// What lies between the ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum WayUnderTest {
    /// A bridge of the kernel's.
    Clean,
    /// The relay, with 20 ms of round trip and one packet in a thousand lost in each direction.
    Long,
}

impl WayUnderTest {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Clean => "on the clean way",
            Self::Long => "at 20 ms and 0.1 % loss",
        }
    }

    /// How long each stream runs: on the long way it starts slowly.
    pub(super) fn seconds(self) -> u32 {
        match self {
            Self::Clean => 1,
            Self::Long => 2,
        }
    }

    pub(super) fn goals(self, by_hand: Option<f64>, best: Option<f64>) -> Vec<Goal> {
        let goal = |what: &str, asked, got| {
            let what = format!("tunnel {}, {what}", self.title());
            Goal::new(&what, Unit::Times, Bound::AtLeast(asked), got)
        };
        match self {
            Self::Clean => {
                vec![goal("against OpenVPN by hand", 8.0, by_hand), goal("against the best peer", 6.0, best)]
            }
            Self::Long => vec![goal("against OpenVPN by hand", 3.0, by_hand)],
        }
    }
}

/// Everybody who carries TCP between the two ends of this way, ready to be measured. The first is the bare way of the peers' machines.
pub(super) fn draw(ursa: &Ursa, over_udp: Option<&Ursa>, way: WayUnderTest) -> Outcome<Vec<Contender>> {
    let (network, third) = match way {
        WayUnderTest::Clean => (&ursa.internet, "198.51.100"),
        WayUnderTest::Long => (&ursa.cloud, "203.0.113"),
    };
    let end_of = |ursa: &Ursa, name: &str, network, address: String, route: &str| {
        let machine = ursa.lab.machine(name).nic("eth0", network, address.as_str());
        if route.is_empty() { machine.start() } else { machine.route(route, "eth0").start() }
    };
    let end = |name, network, address, route| end_of(ursa, name, network, address, route);
    let (there, back) = match way {
        WayUnderTest::Clean => ("", ""),
        WayUnderTest::Long => ("198.51.100.0/24", "203.0.113.0/24"),
    };
    if way == WayUnderTest::Long {
        // Before anybody connects: who has seen a shorter way goes by it for some seconds more.
        for ursa in [ursa].into_iter().chain(over_udp) {
            ursa.wan.set_delay(Duration::from_millis(10));
        }
    }
    let worker = end("e1", network, format!("{third}.11/24"), there)?;
    let left = end("left", &ursa.internet, format!("{LEFT}/24"), back)?;
    let right = end("right", network, format!("{third}.12/24"), there)?;
    ursa.join(&worker, Way::Tunnel, "ec2")?;
    let ends = Ends { left: &left, right: &right };
    for peer in PEERS {
        peer.start(&ends)?;
    }
    let worker_over_udp = over_udp.map(|other| {
        let worker = end_of(other, "e1", &other.cloud, "203.0.113.11/24".to_owned(), "198.51.100.0/24")?;
        other.join(&worker, Way::Tunnel, "ec2").map(|_| (&other.frontend, worker))
    });
    let worker_over_udp = worker_over_udp.transpose()?;
    if way == WayUnderTest::Long {
        for ursa in [ursa].into_iter().chain(over_udp) {
            ursa.wan.set_loss(0.001);
        }
    }
    let contender = |name: &str, server: &crate::Machine, client: &crate::Machine, address: &str| Contender {
        name: name.to_owned(),
        server: server.clone(),
        client: client.clone(),
        stream: Stream::to(address, way.seconds()),
        rates: [Vec::new(), Vec::new()],
    };
    let mut all = vec![contender(BARE, &left, &right, LEFT), contender(OURS, &ursa.frontend, &worker, "10.77.0.1")];
    all.extend(worker_over_udp.map(|(server, worker)| contender(OURS_OVER_UDP, server, &worker, "10.77.0.1")));
    all.extend(PEERS.iter().map(|peer| contender(peer.name, &left, &right, peer.left_inside)));
    if way == WayUnderTest::Long {
        // What somebody who knows of it would do by hand.
        let by_hand = contender(PEERS[0].name, &left, &right, PEERS[0].left_inside);
        let stream = Stream { congestion: "bbr", ..by_hand.stream.clone() };
        all.push(Contender { name: format!("{}, BBR in its streams", by_hand.name), stream, ..by_hand });
    }
    Ok(all)
}
