//! Several workers at once: one server process against as many as the front-end has processors.

use std::num::NonZero;

use crate::bench::report::{Cell, Section, Table};
use crate::bench::statistics::{Sample, Unit};
use crate::bench::{Measurement, Outcome};
use crate::machine::Machine;
use crate::ursa::{Ursa, Way};

use super::stream::{self, Direction, Stream};

/// This measurement.
pub const SERVERS: Measurement =
    Measurement { name: "servers", title: "Several workers: one tunnel server and one for each processor", measure };

const FILE: &str = "/etc/landbridge/cluster.toml";
const ROUNDS: usize = 3;
const SECONDS: u32 = 1;
const WORKERS: [u8; 3] = [1, 2, 4];

fn measure(section: &mut Section) -> Outcome<()> {
    section.note(
        "Streams to the front-end from so many workers at once, all together in Gbit/s; workers are machines of namespaces that \
         have joined. Both ends share this machine's processors: a worker's own OpenVPN needs as much of one as the front-end's.",
    );
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut table = Table::new(["server processes", "1 worker", "2 workers", "4 workers"]);
    for (servers, transport) in [(1, "udp"), (processors, "udp"), (1, "tcp"), (processors, "tcp")] {
        let label = format!("{servers}, over {}", transport.to_uppercase());
        let rates = section.attempt(&label, || aggregate(servers, transport));
        let cells = rates.map_or([const { Cell::Failed }; 3], |rates| rates.map(Cell::from));
        table.row(label, cells);
    }
    section.tables.push(table);
    Ok(())
}

/// All streams together, for each number of workers.
fn aggregate(servers: usize, transport: &str) -> Outcome<[Option<Sample>; 3]> {
    let ursa = Ursa::draw_light("bench-servers")?;
    let file = ursa.frontend.read_text(FILE)?;
    let tunnels = format!("servers = {servers}\ntransport = \"{transport}\"");
    ursa.frontend.write_file(FILE, file.replace("servers = 2", &tunnels))?;
    ursa.landbridge("up").expect_ok()?;
    let worker = |n: u8| -> Outcome<Machine> {
        let (name, address) = (format!("e{n}"), format!("198.51.100.{}/24", 10 + n));
        let machine = ursa.lab.machine(&name).nic("eth0", &ursa.internet, address.as_str()).start()?;
        ursa.join(&machine, Way::Tunnel, "ec2")?;
        Ok(machine)
    };
    let workers = (1..=WORKERS[2]).map(worker).collect::<Outcome<Vec<_>>>()?;
    stream::serve(&ursa.frontend, ports(workers.len()))?;
    let mut rates: [Vec<f64>; 3] = Default::default();
    for _ in 0..ROUNDS {
        for (rates, count) in rates.iter_mut().zip(WORKERS) {
            rates.push(together(&workers[..usize::from(count)])?);
        }
    }
    Ok(rates.map(|rates| Sample::new(Unit::GbitPerSecond, rates)))
}

fn ports(count: usize) -> impl Iterator<Item = u16> {
    (stream::PORT..).take(count)
}

fn together(workers: &[Machine]) -> Outcome<f64> {
    std::thread::scope(|scope| {
        let streams: Vec<_> = workers
            .iter()
            .zip(ports(workers.len()))
            .map(|(worker, port)| {
                scope.spawn(move || {
                    stream::gigabits(worker, &Stream { port, ..Stream::to("10.77.0.1", SECONDS) }, Direction::ToServer)
                })
            })
            .collect();
        streams.into_iter().map(|stream| stream.join().map_err(|_| "a stream's thread panicked")?).sum()
    })
}
