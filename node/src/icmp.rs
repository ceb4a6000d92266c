//! Is it there, and how large a packet gets through? ICMP echo (RFC 792), unfragmented where asked.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::sockopt::{Ipv4PathMtuDiscovery, set_ip_mtu_discover, set_ip_tos};
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, socket_with};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

/// The IPv4 header without options and the ICMP header: what a packet has besides its payload.
const HEADERS: u32 = 28;
/// An IPv4 header with as many options as it can have.
const MOST_IP_HEADER: usize = 60;
/// The ICMP header alone.
const ICMP_HEADER: usize = 8;
const ECHO_REQUEST: u8 = 8;
const ECHO_REPLY: u8 = 0;
/// The first repetition of a packet; each later one waits twice as long.
const REPEAT: Duration = Duration::from_millis(100);
const EMSGSIZE: i32 = rustix::io::Errno::MSGSIZE.raw_os_error();

/// How a series of pings ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// An answer came.
    Answered,
    /// None came in time.
    Silence,
    /// The kernel knows that the packet is too large for the link or the path.
    TooLarge,
}

/// One host to ping.
#[derive(Debug)]
pub struct Pinger {
    /// A raw socket; tokio's UDP type is the one that takes datagram sockets of any kind.
    socket: UdpSocket,
    target: Ipv4Addr,
    identifier: u16,
    sequence: u16,
}

impl Pinger {
    /// Opens a raw socket (root). With `unfragmented`, packets carry the "don't fragment" flag, and the kernel's memory of
    /// smaller path MTUs is ignored: each packet is really tried.
    pub fn new(target: Ipv4Addr, unfragmented: bool) -> io::Result<Self> {
        let socket = raw_socket()?;
        if unfragmented {
            set_ip_mtu_discover(&socket, Ipv4PathMtuDiscovery::PROBE)?;
        }
        Self::on(socket, target)
    }

    /// Packets with the "don't fragment" flag and this type of service, as large as the route for it allows.
    pub fn by_route(target: Ipv4Addr, tos: u8) -> io::Result<Self> {
        let socket = raw_socket()?;
        set_ip_mtu_discover(&socket, Ipv4PathMtuDiscovery::DO)?;
        set_ip_tos(&socket, tos)?;
        // The kernel then hands over this host's packets only: with many hosts watched, each would else see all answers.
        rustix::net::connect(&socket, &SocketAddrV4::new(target, 0))?;
        Self::on(socket, target)
    }

    fn on(socket: OwnedFd, target: Ipv4Addr) -> io::Result<Self> {
        // The lower half of the process id is what ping(8) has always used.
        let identifier = (std::process::id() & 0xffff) as u16;
        Ok(Self { socket: UdpSocket::from_std(socket.into())?, target, identifier, sequence: 0 })
    }

    /// Sends a packet of `size` bytes (headers included) until it is answered, or `until`.
    pub async fn ping(&mut self, size: u32, until: Instant) -> io::Result<Echo> {
        let mut pause = REPEAT;
        loop {
            self.sequence = self.sequence.wrapping_add(1);
            match self.send(size).await {
                Err(error) if error.raw_os_error() == Some(EMSGSIZE) => return Ok(Echo::TooLarge),
                Err(error) if !is_passing(&error) => return Err(error),
                _ => {}
            }
            let turn = until.min(Instant::now() + pause);
            match timeout_at(turn, self.answer()).await {
                Ok(answer) => return answer.map(|()| Echo::Answered),
                Err(_) if turn == until => return Ok(Echo::Silence),
                Err(_) => pause *= 2,
            }
        }
    }

    /// The packet is gone when this returns: a thousand pingers that wait for an answer hold none.
    async fn send(&self, size: u32) -> io::Result<()> {
        let packet = echo_request(self.identifier, self.sequence, size.saturating_sub(HEADERS) as usize);
        self.socket.send_to(&packet, (self.target, 0)).await.map(drop)
    }

    /// Waits for an answer to any of our packets. Of each packet the headers are read, and the kernel drops the rest.
    async fn answer(&self) -> io::Result<()> {
        let mut buffer = [0_u8; MOST_IP_HEADER + ICMP_HEADER];
        loop {
            match self.socket.recv(&mut buffer).await {
                Ok(bytes) if self.is_ours(&buffer[..bytes]) => return Ok(()),
                Ok(_) => {}
                // An ICMP error for an earlier packet is reported here; the answer may still come.
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// A raw socket sees every ICMP packet of the machine, with its IPv4 header.
    fn is_ours(&self, packet: &[u8]) -> bool {
        let Some(header) = packet.first().map(|b| usize::from(b & 0x0f) * 4) else { return false };
        let Some(from) = packet.get(12..16) else { return false };
        let Some(icmp) = packet.get(header..header + ICMP_HEADER) else { return false };
        from == self.target.octets() && icmp[0] == ECHO_REPLY && icmp[4..6] == self.identifier.to_be_bytes()
    }
}

/// The largest packet that gets through, headers included: the kernel's and the path's truth by halving the interval
/// between `least`, which is known to get through, and `most`, which is known not to.
pub async fn largest(pinger: &mut Pinger, least: u32, most: u32, each: Duration) -> io::Result<u32> {
    let (mut good, mut bad) = (least, most);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        match pinger.ping(middle, Instant::now() + each).await? {
            Echo::Answered => good = middle,
            Echo::Silence | Echo::TooLarge => bad = middle,
        }
    }
    Ok(good)
}

fn raw_socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(AddressFamily::INET, SocketType::RAW, flags, Some(ipproto::ICMP))?)
}

/// No neighbour or no route (yet), no buffer: the next packet may get through.
fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{HostUnreachable, NetworkUnreachable};
    matches!(error.kind(), HostUnreachable | NetworkUnreachable)
        || error.raw_os_error() == Some(rustix::io::Errno::NOBUFS.raw_os_error())
}

fn echo_request(identifier: u16, sequence: u16, payload: usize) -> Vec<u8> {
    let mut packet = vec![0_u8; ICMP_HEADER + payload];
    packet[0] = ECHO_REQUEST;
    packet[4..6].copy_from_slice(&identifier.to_be_bytes());
    packet[6..8].copy_from_slice(&sequence.to_be_bytes());
    let sum = checksum(&packet);
    packet[2..4].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// RFC 1071.
fn checksum(packet: &[u8]) -> u16 {
    let word = |pair: &[u8]| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
    let mut sum: u32 = packet.chunks(2).map(word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("folded to 16 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: Ipv4Addr = Ipv4Addr::LOCALHOST;

    #[test]
    fn a_request_with_its_checksum_sums_to_nothing() {
        assert_eq!(checksum(&echo_request(0x1234, 7, 1472)), 0);
        assert_eq!(checksum(&echo_request(1, 1, 3)), 0, "an odd length too");
    }

    #[tokio::test]
    async fn loopback_answers() {
        let mut pinger = Pinger::new(HOME, false).expect("a raw socket: this test needs root");
        let echo = pinger.ping(84, Instant::now() + Duration::from_secs(5)).await;
        assert_eq!(echo.expect("a ping"), Echo::Answered);
    }

    #[tokio::test]
    async fn an_unfragmented_packet_above_the_links_mtu_is_too_large() {
        // Loopback's MTU is 65,536, more than IPv4 can say: the largest packet there is goes through, and no larger.
        let mut pinger = Pinger::new(HOME, true).expect("a raw socket: this test needs root");
        let until = Instant::now() + Duration::from_secs(5);
        assert_eq!(pinger.ping(65_535, until).await.expect("a ping"), Echo::Answered);
        assert_eq!(pinger.ping(65_536, until).await.expect("a ping"), Echo::TooLarge);
    }

    #[tokio::test]
    async fn the_largest_size_is_found_between_its_bounds() {
        let mut pinger = Pinger::new(HOME, true).expect("a raw socket: this test needs root");
        let found = largest(&mut pinger, 84, 70_000, Duration::from_secs(5)).await;
        assert_eq!(found.expect("pings"), 65_535);
    }
}
