//! Tunnel throughput: TCP between a worker and the front-end, beside the peers and the bare way.

mod way;

use crate::bench::peers::{Ends, LEFT, PEERS};
use crate::bench::report::{Bound, Cell, Goal, Section, Table};
use crate::bench::statistics::{Sample, Unit};
use crate::bench::{Measurement, Outcome};
use crate::machine::Machine;
use crate::ursa::{Ursa, Way};

use super::stream::{self, Direction, Stream};
use way::WayUnderTest;

/// This measurement.
pub const TUNNEL: Measurement = Measurement { name: "tunnel", title: "Tunnel throughput, beside its peers", measure };

const ROUNDS: usize = 3;

/// Something that carries TCP between two machines.
struct Contender {
    name: String,
    server: Machine,
    client: Machine,
    /// From the client to the server.
    stream: Stream,
    /// A word a round, in Gbit/s: to the server, and from it.
    rates: [Vec<f64>; 2],
}

fn measure(section: &mut Section) -> Outcome<()> {
    section.note(
        "One TCP stream (iperf3) between a worker and the front-end, both machines of namespaces on this kernel; the worker has \
         joined with `landbridge-node join --via tunnel`, and the tunnel is as it then is, encrypted and authenticated. The peers \
         connect two machines of the same kind on the same networks, all of them set up before the first is measured, and take \
         turns. Both ends share this machine's processors. *On the clean way* the ends are neighbours on one bridge. *At 20 ms and \
         0.1 % loss* they talk through the lab's relay, which looks at each packet on the wire. All streams go by cubic, as a Debian \
         machine's do, but for the rows that say otherwise; the connection that carries a Landbridge tunnel goes by BBR, which \
         Landbridge asks for.",
    );
    for way in [WayUnderTest::Clean, WayUnderTest::Long] {
        let Some(contenders) = section.attempt(way.title(), || contenders(way)) else { continue };
        tell(section, way, &contenders);
    }
    Ok(())
}

fn contenders(way: WayUnderTest) -> Outcome<Vec<Contender>> {
    let ursa = Ursa::light("bench-tunnel")?;
    let over_udp = (way == WayUnderTest::Long).then(|| Ursa::light_over_udp("bench-tunnel-udp")).transpose()?;
    let mut contenders = way::draw(&ursa, over_udp.as_ref(), way)?;
    let front_ends = [Some(&ursa), over_udp.as_ref()].into_iter().flatten().map(|ursa| &ursa.frontend);
    for server in front_ends.chain([&contenders[0].server]) {
        stream::serve(server, [stream::PORT])?;
    }
    for _ in 0..ROUNDS {
        for contender in &mut contenders {
            for (rates, direction) in contender.rates.iter_mut().zip(Direction::BOTH) {
                // One that broke down in one round may be back in the next; the failed row tells if it never is.
                rates.extend(stream::gigabits(&contender.client, &contender.stream, direction));
            }
        }
    }
    Ok(contenders)
}

/// The lesser of both directions.
fn worse(contender: &Contender) -> Option<Sample> {
    let samples = contender.rates.clone().map(|rates| Sample::new(Unit::GbitPerSecond, rates));
    let [Some(to), Some(from)] = samples else { return None };
    Some(if to.median() <= from.median() { to } else { from })
}

fn tell(section: &mut Section, way: WayUnderTest, contenders: &[Contender]) {
    let named = |name: &str| contenders.iter().find(|contender| contender.name == name);
    let by_hand = named(PEERS[0].name).and_then(worse);
    let mut table =
        Table::new([way.title(), "to the front-end", "from the front-end", "the lesser against OpenVPN by hand"]);
    for contender in contenders {
        let [to, from] = contender.rates.clone().map(|rates| Cell::from(Sample::new(Unit::GbitPerSecond, rates)));
        table.row(&contender.name, [to, from, Cell::times(worse(contender).as_ref(), by_hand.as_ref())]);
    }
    section.tables.push(table);
    let ours = named(way::OURS).and_then(worse);
    let peers = PEERS.iter().filter_map(|peer| named(peer.name)).filter_map(worse);
    let best = peers.max_by(|one, other| one.median().total_cmp(&other.median()));
    let times = |other: Option<&Sample>| ours.as_ref().zip(other).map(|(ours, other)| ours.median() / other.median());
    let (by_hand, best) = (times(by_hand.as_ref()), times(best.as_ref()));
    let bare = named(way::BARE).and_then(worse).zip(named(PEERS[0].name).and_then(worse));
    let bare = bare.map(|(bare, by_hand)| bare.median() / by_hand.median());
    section.goals.extend(way.goals(by_hand, best).into_iter().map(|goal| match bare {
        Some(bare) => goal.or_because(format!(
            "The way itself, without any tunnel, carries {} what OpenVPN by hand does: on the long way every packet passes the lab's \
             relay by itself, which shares the two processors with both ends.",
            Unit::Times.show(bare)
        )),
        None => goal,
    }));
}
