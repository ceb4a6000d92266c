//! What a worker and the front-end say to each other on the vLAN: how often each service's speaker changes.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::bench::Outcome;
use crate::ursa::Ursa;

const PATIENCE: Duration = Duration::from_secs(20);
/// NFS (RFC 7530), and Grid Engine's queue master and execution daemon (IANA).
const NFS: u16 = 2049;
const QUEUE: [u16; 2] = [6444, 6445];

/// Exchanges with each service: two changes of speaker, a question and its answer. At a distance, each that waits for the one
/// before costs a round trip.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Exchanges {
    pub(super) nfs: f64,
    pub(super) queue: f64,
    /// With everybody else: NIS and the port mapper.
    pub(super) others: f64,
}

/// Does the work while the front-end records what the worker with this address and it send each other.
pub(super) fn during<T>(ursa: &Ursa, worker: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<(T, Exchanges)> {
    let line = format!("tcpdump --immediate-mode -i lbbr-ursa -n -q -t -l host {worker}");
    let mut recorder = ursa.frontend.run(&line).spawn()?;
    recorder.wait_for_output("listening on", PATIENCE)?;
    let done = work();
    recorder.signal(nix::libc::SIGINT)?;
    let seen = recorder.wait(PATIENCE)?.out();
    Ok((done?, exchanges(&seen, worker)))
}

/// Counts them in what `tcpdump -n -q -t` wrote.
fn exchanges(recorded: &str, worker: &str) -> Exchanges {
    let mut speakers: BTreeMap<(u16, u16), bool> = BTreeMap::new();
    let mut seen = Exchanges::default();
    for packet in recorded.lines().filter_map(|line| Packet::parse(line, worker)) {
        let speaks = (packet.worker_port, packet.front_end_port);
        if speakers.insert(speaks, packet.by_worker) == Some(packet.by_worker) {
            continue;
        }
        let service = match (packet.front_end_port, packet.worker_port) {
            (NFS, _) => &mut seen.nfs,
            (here, there) if QUEUE.contains(&here) || QUEUE.contains(&there) => &mut seen.queue,
            _ => &mut seen.others,
        };
        *service += 0.5;
    }
    seen
}

/// A packet with something in it.
struct Packet {
    by_worker: bool,
    worker_port: u16,
    front_end_port: u16,
}

impl Packet {
    /// `IP 10.77.1.1.823 > 10.77.0.1.2049: tcp 196`, or with `UDP, length 56`.
    fn parse(line: &str, worker: &str) -> Option<Self> {
        let (ways, what) = line.strip_prefix("IP ")?.split_once(": ")?;
        what.rsplit(' ').next()?.parse::<u32>().ok().filter(|&length| length > 0)?;
        let (from, to) = ways.split_once(" > ")?;
        let ((source, from), (target, to)) = (from.rsplit_once('.')?, to.rsplit_once('.')?);
        let by_worker = source == worker;
        // Without ports the last number is the address's own: an echo, which is nobody's service.
        if !by_worker && target != worker {
            return None;
        }
        let (from, to) = (from.parse().ok()?, to.parse().ok()?);
        let (worker_port, front_end_port) = if by_worker { (from, to) } else { (to, from) };
        Some(Self { by_worker, worker_port, front_end_port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_in_several_packets_and_its_answer_are_one_exchange() {
        let recorded = "\
IP 10.77.1.1.823 > 10.77.0.1.2049: tcp 1448
IP 10.77.1.1.823 > 10.77.0.1.2049: tcp 600
IP 10.77.0.1.2049 > 10.77.1.1.823: tcp 0
IP 10.77.0.1.2049 > 10.77.1.1.823: tcp 120
IP 10.77.1.1.823 > 10.77.0.1.2049: tcp 196
IP 10.77.0.1.6444 > 10.77.1.1.40112: tcp 80
IP 10.77.1.1 > 10.77.0.1: ICMP echo request, id 7, seq 1, length 64
IP 10.77.0.1.2049 > 10.77.1.1.823: tcp 120
IP 10.77.1.1.40112 > 10.77.0.1.6444: tcp 30
IP 10.77.1.1.51000 > 10.77.0.1.111: UDP, length 56
";
        assert_eq!(exchanges(recorded, "10.77.1.1"), Exchanges { nfs: 2.0, queue: 1.0, others: 0.5 });
    }
}
