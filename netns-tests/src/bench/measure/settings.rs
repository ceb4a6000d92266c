//! Why the tunnel is set as it is: OpenVPN by hand with one setting after the other.

use crate::bench::peers::{Ends, LEFT, Variant};
use crate::bench::report::{Cell, Section, Table};
use crate::bench::statistics::{Sample, Unit};
use crate::bench::{Measurement, Outcome};
use crate::lab::Lab;

use super::stream::{self, Direction, Stream};

/// This measurement.
pub const SETTINGS: Measurement =
    Measurement { name: "settings", title: "What each of the tunnel's settings does", measure };

const ROUNDS: usize = 3;
const SECONDS: u32 = 1;

/// What stands in both configurations beside those of OpenVPN by hand; with `proto` for each end.
const VARIANTS: &[(&str, &str, &str)] = &[
    ("UDP, by hand", "udp", ""),
    ("… and buffers of 2 MiB", "udp", "sndbuf 2097152\nrcvbuf 2097152\n"),
    ("… and txqueuelen 1000", "udp", "sndbuf 2097152\nrcvbuf 2097152\ntxqueuelen 1000\n"),
    ("… and tap MTU 9000", "udp", "sndbuf 2097152\nrcvbuf 2097152\ntxqueuelen 1000\ntun-mtu 9000\nmssfix 0\n"),
    ("TCP, by hand", "tcp", ""),
    ("… and tcp-nodelay", "tcp", "tcp-nodelay\n"),
    ("… and a queue of 256 frames", "tcp", "tcp-nodelay\ntcp-queue-limit 256\n"),
    ("… and txqueuelen 1000", "tcp", "tcp-nodelay\ntcp-queue-limit 256\ntxqueuelen 1000\n"),
    ("… and tap MTU 9000", "tcp", "tcp-nodelay\ntcp-queue-limit 256\ntxqueuelen 1000\ntun-mtu 9000\nmssfix 0\n"),
    ("… and tap MTU 32000", "tcp", "tcp-nodelay\ntcp-queue-limit 256\ntxqueuelen 1000\ntun-mtu 32000\nmssfix 0\n"),
    ("… and tap MTU 60000", "tcp", "tcp-nodelay\ntcp-queue-limit 256\ntxqueuelen 1000\ntun-mtu 60000\nmssfix 0\n"),
];

fn measure(section: &mut Section) -> Outcome<()> {
    section.note(
        "OpenVPN as in the first section's \"by hand\", between the same two machines on the clean way, with more and more of the \
         settings that Landbridge gives it; TCP inside, one stream. All are set up at once and take turns.",
    );
    let lab = Lab::new("bench-settings")?;
    let internet = lab.network("internet")?;
    let machine = |name, address: &str| lab.machine(name).nic("eth0", &internet, address).start();
    let (left, right) = (machine("left", &format!("{LEFT}/24"))?, machine("right", "198.51.100.3/24")?);
    let ends = Ends { left: &left, right: &right };
    let variants: Vec<Option<Variant>> = (0..)
        .zip(VARIANTS)
        .map(|(place, (label, proto, lines))| section.attempt(label, || Variant::start(&ends, place, proto, lines)))
        .collect();
    stream::serve(&left, [stream::PORT])?;
    let mut rates = vec![[const { Vec::new() }; 2]; VARIANTS.len()];
    for _ in 0..ROUNDS {
        for ((rates, variant), (label, ..)) in rates.iter_mut().zip(&variants).zip(VARIANTS) {
            let Some(variant) = variant else { continue };
            for (rates, direction) in rates.iter_mut().zip(Direction::BOTH) {
                let rate = || stream::gigabits(&right, &Stream::to(&variant.left_inside, SECONDS), direction);
                rates.extend(section.attempt(label, rate));
            }
        }
    }
    let mut table = Table::new(["OpenVPN", "to the server", "from the server"]);
    for ((label, ..), rates) in VARIANTS.iter().zip(rates) {
        table.row(*label, rates.map(|rates| Cell::from(Sample::new(Unit::GbitPerSecond, rates))));
    }
    section.tables.push(table);
    Ok(())
}
