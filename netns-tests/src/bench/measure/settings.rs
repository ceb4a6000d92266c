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

/// What Landbridge gives both ends over UDP, one after the other.
const UDP: [(&str, &str); 4] = [
    ("UDP, by hand", ""),
    ("… and buffers of 2 MiB", "sndbuf 2097152\nrcvbuf 2097152\n"),
    ("… and txqueuelen 1000", "txqueuelen 1000\n"),
    ("… and tap MTU 9000", "tun-mtu 9000\nmssfix 0\n"),
];
/// And over TCP, as far as the tap's MTU.
const TCP: [(&str, &str); 4] = [
    ("TCP, by hand", ""),
    ("… and tcp-nodelay", "tcp-nodelay\n"),
    ("… and a queue of 256 frames", "tcp-queue-limit 256\n"),
    ("… and txqueuelen 1000", "txqueuelen 1000\n"),
];
/// In the place of one another.
const TCP_MTU: [(&str, &str); 5] = [
    ("… and tap MTU 9000", "tun-mtu 9000\nmssfix 0\n"),
    ("… and tap MTU 12000", "tun-mtu 12000\nmssfix 0\n"),
    ("… and tap MTU 32000", "tun-mtu 32000\nmssfix 0\n"),
    ("… and tap MTU 60000", "tun-mtu 60000\nmssfix 0\n"),
    ("… and tap MTU 60000, and a send buffer of 2 MiB", "tun-mtu 60000\nmssfix 0\nsndbuf 2097152\n"),
];

/// A variant's name, its protocol, and what stands in both its configurations beside those of OpenVPN by hand.
type Lines = (&'static str, &'static str, String);

fn variants() -> Vec<Lines> {
    let (mut udp, mut tcp) = (String::new(), String::new());
    let mut all: Vec<Lines> = Vec::new();
    for (title, more) in UDP {
        udp += more;
        all.push((title, "udp", udp.clone()));
    }
    for (title, more) in TCP {
        tcp += more;
        all.push((title, "tcp", tcp.clone()));
    }
    all.extend(TCP_MTU.map(|(title, more)| (title, "tcp", format!("{tcp}{more}"))));
    all
}

fn measure(section: &mut Section) -> Outcome<()> {
    section.note(
        "OpenVPN as in the first section's \"by hand\", between the same two machines on the clean way, with more and more of the \
         settings that Landbridge gives it, at both ends; of the tap's MTUs each by itself. TCP inside, one stream. All are set up at \
         once and take turns. Where the kernel allows a send buffer of 2 MiB, Landbridge asks for it and for 60,000 bytes; elsewhere \
         for 12,000.",
    );
    let lab = Lab::new("bench-settings")?;
    let internet = lab.network("internet")?;
    let machine = |name, address: &str| lab.machine(name).nic("eth0", &internet, address).start();
    let (left, right) = (machine("left", &format!("{LEFT}/24"))?, machine("right", "198.51.100.3/24")?);
    let ends = Ends { left: &left, right: &right };
    let settings = variants();
    let variants: Vec<Option<Variant>> = (0..)
        .zip(&settings)
        .map(|(place, (label, proto, lines))| section.attempt(label, || Variant::start(&ends, place, proto, lines)))
        .collect();
    stream::serve(&left, [stream::PORT])?;
    let mut rates = vec![Vec::new(); settings.len()];
    for _ in 0..ROUNDS {
        for ((rates, variant), (label, ..)) in rates.iter_mut().zip(&variants).zip(&settings) {
            let Some(variant) = variant else { continue };
            let stream = Stream::to(&variant.left_inside, SECONDS);
            rates.extend(section.attempt(label, || stream::gigabits(&right, &stream, Direction::ToServer)));
        }
    }
    let mut table = Table::new(["OpenVPN", "one stream"]);
    for ((label, ..), rates) in settings.iter().zip(rates) {
        table.row(*label, [Cell::from(Sample::new(Unit::GbitPerSecond, rates))]);
    }
    section.tables.push(table);
    Ok(())
}
