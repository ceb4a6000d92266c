//! How large a packet a tunnel over TCP may send.
//!
//! OpenVPN gives each packet to its socket in one piece and forgets what the kernel does not take of it: from then on the stream is
//! out of step, and the other end resets it (OpenVPN's issue 1094). It does so when the kernel calls the socket writable, which means that a
//! third of its send buffer is free. So a packet must fit into that third, at every moment of a connection's life.

use std::fs;

use landbridge_fabric::Mtu;
use nix::unistd::{AccessFlags, access};

use crate::machine::{Sysctl, SysctlValue};

/// The most that an unprivileged socket may ask for, socket(7).
const LIMIT: &str = "/proc/sys/net/core/wmem_max";
/// What is asked for where it is to be had. The kernel doubles it, to what it would at most make of a buffer by itself
/// (`tcp_wmem`, tcp(7)): no path is slower for it.
const BUFFER: u32 = 2 << 20;
/// Fits into a third of the 45 KiB that a connection's buffer has before the kernel has learnt more of the path.
const CAUTIOUS: u32 = 12_000;

/// The room that this machine's sockets have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendRoom {
    limit: u32,
}

impl SendRoom {
    /// As the kernel says now, or as [`Self::sysctl`] will have it; little where it doesn't say.
    pub fn look() -> Self {
        let said = fs::read_to_string(LIMIT).unwrap_or_default();
        let ours = if access(LIMIT, AccessFlags::W_OK).is_ok() { BUFFER } else { 0 };
        Self::of(said.trim().parse().unwrap_or(0).max(ours))
    }

    /// What makes the room large wherever it may be set. A network namespace goes by the machine around it.
    pub fn sysctl() -> Sysctl {
        Sysctl { name: "net.core.wmem_max".into(), value: SysctlValue::AtLeast(BUFFER.into()) }
    }

    /// Where the kernel allows so many bytes.
    pub const fn of(limit: u32) -> Self {
        Self { limit }
    }

    /// The send buffer to ask for, in bytes, for OpenVPN's `sndbuf`; `None` where the kernel's own is larger in the end.
    pub fn buffer(self) -> Option<u32> {
        (self.limit >= BUFFER).then_some(BUFFER)
    }

    /// Of `wide`, what may be sent over TCP.
    pub fn most(self, wide: Mtu) -> Mtu {
        match (self.buffer(), Mtu::new(CAUTIOUS)) {
            (None, Ok(cautious)) => wide.min(cautious),
            _ => wide,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_packets_need_a_large_buffer_of_their_own() {
        let mtu = |bytes| Mtu::new(bytes).expect("an MTU");
        let (debian, tuned) = (SendRoom::of(212_992), SendRoom::of(4 << 20));
        assert_eq!(
            (debian.buffer(), debian.most(mtu(60_000)), debian.most(mtu(9_000))),
            (None, mtu(12_000), mtu(9_000))
        );
        assert_eq!((tuned.buffer(), tuned.most(mtu(60_000))), (Some(2_097_152), mtu(60_000)));
    }
}
