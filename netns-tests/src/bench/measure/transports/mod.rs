//! UDP or TCP: what ways of different kinds carry over each, and how long it takes where one of them is blocked.

mod standstill;

use std::time::Duration;

use landbridge::view::TimelineView;
use landbridge_node::wire::Stage;

use super::stream::{self, Direction, Stream};
use crate::bench::report::{Cell, Section, Table};
use crate::bench::statistics::{Sample, Unit};
use crate::bench::{Measurement, Outcome};
use crate::machine::Machine;
use crate::ursa::{Ursa, Way};

/// This measurement.
pub const TRANSPORTS: Measurement =
    Measurement { name: "transports", title: "UDP or TCP, by what the way shows", measure };

const ROUNDS: usize = 3;
const SECONDS: u32 = 2;
/// For the proof of what a path carries.
const PROOF: Duration = Duration::from_secs(20);
/// TCP never comes in, whoever asks.
const NO_TCP: &str = "table inet test {\n chain in {\n type filter hook input priority -10;\n iifname wan0 tcp dport 1194-1203 drop;\n }\n}\n";

/// What carries a tunnel.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Transport {
    Tcp,
    Udp,
}

/// What lies between a worker and its front-end.
#[derive(Clone, Copy)]
struct Path {
    round_trip_ms: u64,
    loss: f64,
}

const PATHS: [Path; 3] = [
    Path { round_trip_ms: 20, loss: 0.01 },
    Path { round_trip_ms: 80, loss: 0.0 },
    Path { round_trip_ms: 80, loss: 0.01 },
];

fn measure(section: &mut Section) -> Outcome<()> {
    section.note(
        "Workers try the servers over TCP first, and those over UDP where TCP does not answer: on no way that was measured, here and \
         in the sections before, does UDP carry more. One TCP stream to the front-end through a tunnel over each; a worker joins for each \
         way, by the lab's relay. Then two ways that change: from an openvpn's start to a tunnel over UDP, where the front-end's TCP is \
         silently dropped; and how long a TCP stream in a tunnel over UDP that was asked for packets of 32,000 bytes brings the \
         receiver nothing, in tenths of a second, when the way begins to drop fragments: until that is noticed, the path falls back, and \
         the stream's sender tries again.",
    );
    let (tcp, udp) = (Ursa::light("bench-transports")?, Ursa::light_over_udp("bench-transports-udp")?);
    for ursa in [&tcp, &udp] {
        stream::serve(&ursa.frontend, [stream::PORT])?;
    }
    let mut table = Table::new(["a stream through the tunnel", "over TCP", "over UDP", "TCP against UDP"]);
    for (last, path) in (11..).zip(PATHS) {
        let rates = section.attempt(&path.title(), || {
            Ok([path.rate(&tcp, Transport::Tcp, last)?, path.rate(&udp, Transport::Udp, last)?])
        });
        let [over_tcp, over_udp] = rates.unwrap_or_default();
        let times = Cell::times(over_tcp.as_ref(), over_udp.as_ref());
        table.row(path.title(), [over_tcp.into(), over_udp.into(), times]);
    }
    section.tables.push(table);
    let mut table = Table::new(["a way that changes", "until it carries again"]);
    let mut row = |title: &str, measure: &dyn Fn() -> Outcome<Duration>| {
        let took = section.attempt(title, measure);
        table.row(title, [took.map_or(Cell::Failed, |took| Cell::Value(Unit::Seconds, took.as_secs_f64()))]);
    };
    row("TCP is dropped: a tunnel over UDP", &|| without_tcp(&tcp));
    row("fragments are dropped: a stream goes on", &without_fragments);
    section.tables.push(table);
    Ok(())
}

impl Path {
    fn title(self) -> String {
        format!("{} ms, {} % loss", self.round_trip_ms, self.loss * 100.0)
    }

    /// To the front-end.
    fn rate(self, ursa: &Ursa, over: Transport, last: u8) -> Outcome<Option<Sample>> {
        ursa.wan.set_loss(0.0);
        ursa.wan.set_delay(Duration::from_millis(self.round_trip_ms) / 2);
        let worker = joined(ursa, last)?;
        if over == Transport::Tcp {
            proved(&worker)?;
        }
        ursa.wan.set_loss(self.loss);
        let stream = Stream::to("10.77.0.1", SECONDS);
        let rates = (0..ROUNDS).map(|_| stream::gigabits(&worker, &stream, Direction::ToServer));
        let rates = rates.collect::<Outcome<Vec<_>>>();
        ursa.wan.set_loss(0.0);
        Ok(Sample::new(Unit::GbitPerSecond, rates?))
    }
}

fn joined(ursa: &Ursa, last: u8) -> Outcome<Machine> {
    let machine = ursa.light_instance(&format!("e{last}"), &format!("203.0.113.{last}/24"))?;
    ursa.join(&machine, Way::Tunnel, "ec2")?;
    Ok(machine)
}

/// Waits until large packets have been proved to pass, as they are some seconds after a join; over UDP only where they were asked for.
fn proved(worker: &Machine) -> Outcome<()> {
    worker.wait_until("ip route show proto 76 10.77.0.1 | grep -w mtu", PROOF)?;
    Ok(())
}

/// How long the link's stage of a join takes.
fn without_tcp(ursa: &Ursa) -> Outcome<Duration> {
    ursa.wan.set_delay(Duration::ZERO);
    ursa.frontend.run("nft -f -").stdin(NO_TCP).expect_ok()?;
    joined(ursa, 21)?;
    let timeline: TimelineView = serde_json::from_value(ursa.ask("worker show e21")?["timeline"].clone())?;
    super::join::took(&timeline, Stage::Link).ok_or_else(|| "no link in the timeline".into())
}

fn without_fragments() -> Outcome<Duration> {
    let ursa = Ursa::light_with_tunnel("bench-fragments", "transport = \"udp\"\nmtu = 32000")?;
    let worker = joined(&ursa, 11)?;
    proved(&worker)?;
    standstill::measure(&ursa, &worker)
}
