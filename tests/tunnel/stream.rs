//! A stream of numbered packets, to see when it stops and what of it was lost.

use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::netns::Netns;

/// The pause between two packets.
const PACE: Duration = Duration::from_millis(2);

pub(crate) struct Stream {
    stop: Arc<AtomicBool>,
    sender: JoinHandle<Vec<Instant>>,
    receiver: JoinHandle<Vec<(Instant, u32)>>,
}

/// So many packets show that a stream flows.
const FIRST: usize = 10;

/// What arrives within this long of the last packet is no silence.
const SILENCE: Duration = Duration::from_millis(1500);

/// The longest record, for a stream that doesn't fall silent though it should.
const LONGEST: Duration = Duration::from_secs(10);

/// When each packet was sent, and when what arrived.
pub(crate) struct Record {
    pub(crate) departures: Vec<Instant>,
    pub(crate) arrivals: Vec<(Instant, u32)>,
}

impl Record {
    /// The longest pause of the sender's own since the last arrival: a silence that is longer is not the sender's.
    pub(crate) fn longest_pause(&self) -> Duration {
        let last = self.arrivals.last().expect("an arrival").0;
        let within = self.departures.iter().filter(|at| **at > last && **at < last + SILENCE);
        let moments: Vec<Instant> = [last].into_iter().chain(within.copied()).chain([last + SILENCE]).collect();
        moments.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(SILENCE)
    }
}

impl Stream {
    /// Begins to send; returns once some packets have arrived, which are the record's first: whatever follows may come before the next.
    pub(crate) fn start(from: &Netns, source: Ipv4Addr, to: &Netns, target: Ipv4Addr) -> Self {
        let bind = |netns: &Netns, address| netns.run(move || UdpSocket::bind((address, 0)).expect("a socket"));
        let (sender, receiver) = (bind(from, source), bind(to, target));
        let port = receiver.local_addr().expect("a port").port();
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let sender = thread::spawn(move || send(&sender, SocketAddrV4::new(target, port), &told));
        receiver.set_read_timeout(Some(Duration::from_secs(5))).expect("a time-out");
        let first: Vec<_> = (0..FIRST).map(|_| arrival(&receiver).expect("a first packet")).collect();
        // Silence is what ends the record: longer than any pause that is no end.
        receiver.set_read_timeout(Some(SILENCE)).expect("a time-out");
        Self { stop, sender, receiver: thread::spawn(move || receive(&receiver, first)) }
    }

    /// Waits until nothing has arrived for one and a half seconds, still sending.
    pub(crate) fn until_silence(self) -> Record {
        let arrivals = self.receiver.join().expect("the receiver");
        self.stop.store(true, Ordering::Relaxed);
        Record { departures: self.sender.join().expect("the sender"), arrivals }
    }

    /// Stops sending, and waits until what is under way has arrived.
    pub(crate) fn stop(self) -> Record {
        self.stop.store(true, Ordering::Relaxed);
        let departures = self.sender.join().expect("the sender");
        Record { departures, arrivals: self.receiver.join().expect("the receiver") }
    }
}

fn send(socket: &UdpSocket, to: SocketAddrV4, stop: &AtomicBool) -> Vec<Instant> {
    let mut departures = Vec::new();
    for number in 0_u32.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        // Once it is cut off, the worker finds no way; it goes on trying.
        drop(socket.send_to(&number.to_be_bytes(), to));
        departures.push(Instant::now());
        thread::sleep(PACE);
    }
    departures
}

fn receive(socket: &UdpSocket, first: Vec<(Instant, u32)>) -> Vec<(Instant, u32)> {
    let deadline = Instant::now() + LONGEST;
    let rest = std::iter::from_fn(|| arrival(socket).filter(|_| Instant::now() < deadline));
    first.into_iter().chain(rest).collect()
}

fn arrival(socket: &UdpSocket) -> Option<(Instant, u32)> {
    let mut number = [0; 4];
    socket.recv(&mut number).ok()?;
    Some((Instant::now(), u32::from_be_bytes(number)))
}
